/** What stands in the titles of the labs' own tests: `InitialElection (2A)`. */
export const LAB_PARTS = ['2A', '2B', '2C', '2D', '3A', '3B', '4A', '4B', 'mr']

/**
 * The pattern of test names for the words of a command line. Parts of the labs are alternatives; other words are one
 * piece of text that the name must hold, letter by letter.
 */
export function namePattern(words) {
  if (words.every((word) => LAB_PARTS.includes(word))) {
    return words.map((part) => escaped(`(${part})`)).join('|')
  }
  return escaped(words.join(' '))
}

function escaped(text) {
  return text.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&')
}

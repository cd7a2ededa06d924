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

/** Do these words ask for tests of the labs: `2A`, or `Rejoin (2B)`? */
export function namesLab(words) {
  if (words.length === 0) return false
  return (
    words.every((word) => LAB_PARTS.includes(word)) ||
    LAB_PARTS.some((part) => words.join(' ').includes(`(${part})`))
  )
}

function escaped(text) {
  return text.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&')
}

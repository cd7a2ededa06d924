/** A text that every match of an expression holds: lines without it need not be looked at. */

const FLAGS_UNDERSTOOD = /^[dgmsuy]*$/
/** Escapes that take more than one character, or whose meaning depends on what follows. */
const ESCAPE_NOT_UNDERSTOOD = /\\[^dDwWsSbB^$\\.*+?()[\]{}|/-]/
/** Escapes that mean the character itself. */
const PLAIN_ESCAPES = '^$\\.*+?()[]{}|/-'

/** The longest such text of ASCII, or '' when none is found. Groups and classes are passed over. */
export function requiredText({ source, flags }: RegExp): string {
  // Either side of a `|` will do, and ignoring case makes several texts of one.
  if (!FLAGS_UNDERSTOOD.test(flags) || ESCAPE_NOT_UNDERSTOOD.test(source)) return ''
  let longest = ''
  let text = ''
  const end = (): void => {
    if (text.length > longest.length) longest = text
    text = ''
  }
  for (let at = 0; at < source.length;) {
    const next = behind(source, at)
    const part = source.slice(at, next)
    if (part === '|') return ''
    const quantifier = /^(?:[*+?]|\{\d+(?:,\d*)?\})\??/.exec(source.slice(next))?.[0] ?? ''
    const char = charOf(part)
    // What is there any number of times is there, or not; and what follows it need not follow the text before.
    if (char !== '' && quantifier === '') text += char
    else end()
    at = next + quantifier.length
  }
  end()
  return longest
}

/** Behind the character, the escape, the class or the group that begins at `at`. */
function behind(source: string, at: number): number {
  switch (source[at]) {
    case '\\':
      return at + 2
    case '[':
      return behindClass(source, at)
    case '(':
      return behindGroup(source, at)
    default:
      return at + 1
  }
}

function behindClass(source: string, at: number): number {
  let to = at + 1
  while (to < source.length && source[to] !== ']') to += source[to] === '\\' ? 2 : 1
  return to + 1
}

function behindGroup(source: string, at: number): number {
  let to = at + 1
  while (to < source.length && source[to] !== ')') to = behind(source, to)
  return to + 1
}

/** The character that a part means, when it is one of ASCII and means itself; else ''. */
function charOf(part: string): string {
  const char = part.length === 2 && part.startsWith('\\') ? part.slice(1) : part
  if (char.length !== 1 || !/[ -~]/.test(char)) return ''
  const isSpecial = PLAIN_ESCAPES.includes(char) && char !== '-' && char !== '/'
  if (part === char) return isSpecial ? '' : char
  return PLAIN_ESCAPES.includes(char) ? char : ''
}

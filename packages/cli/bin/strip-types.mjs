import { transformSync } from 'amaro'

/** JavaScript of TypeScript, every character in its place. Throws a SyntaxError that says where. */
export function stripTypes(text, path) {
  try {
    return transformSync(text, { mode: 'strip-only' }).code
  } catch (thrown) {
    // A plain object, of which nobody would see more than [object Object].
    const { message, startLine, startColumn, snippet = '' } = thrown
    if (startLine === undefined) throw thrown
    const where = `${path}:${startLine}:${startColumn}`
    throw new SyntaxError(`${message}\n  at ${where}\n  ${snippet.trimEnd()}`, { cause: thrown })
  }
}

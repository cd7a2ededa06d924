/**
 * Keys and values as parts of a line, in the protocol of Hadoop Streaming: `key<TAB>value<LF>`. Bytes that a line cannot hold, and
 * those below them, become two: the escape, and one that says which. The order of what is written is the order of what was.
 */

const ESCAPE = 0x0e
/** TAB, LF and CR are below; so is whatever a sort of whole lines would put before the TAB that ends a key. */
const PLAIN_FROM = 0x0f
const SHIFT = 0x10

/**
 * Escapes bytes [start, end) where they stand, and gives the new end.
 *
 * @param into has room for twice as many
 */
export function escapeInPlace(into: Uint8Array, start: number, end: number): number {
  let special = 0
  for (let i = start; i < end; i++) if ((into[i] as number) < PLAIN_FROM) special++
  let to = end + special
  // From the end, so that nothing is written over before it was read.
  for (let from = end; to > from;) {
    const byte = into[--from] as number
    if (byte < PLAIN_FROM) {
      into[--to] = byte + SHIFT
      into[--to] = ESCAPE
    } else into[--to] = byte
  }
  return end + special
}

/** The reverse, and the new end. What was not escaped stays as it is: other programs write lines, too. */
export function unescapeInPlace(bytes: Uint8Array, start: number, end: number): number {
  const first = bytes.indexOf(ESCAPE, start)
  if (first === -1 || first >= end) return end
  let to = first
  for (let from = first; from < end; from++) {
    const byte = bytes[from] as number
    const next = bytes[from + 1] ?? 0
    const isEscape = byte === ESCAPE && from + 1 < end && next >= SHIFT && next < SHIFT + PLAIN_FROM
    bytes[to++] = isEscape ? next - SHIFT : byte
    if (isEscape) from++
  }
  return to
}

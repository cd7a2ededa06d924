/** Text as UTF-8 in place: most keys are short and ASCII, and those take no call out of JavaScript. */
import { DataError } from './errors.ts'

const encoder = new TextEncoder()
const NATIVE_FROM = 64

/** The most bytes that text of this many UTF-16 units can take. */
export function textBytesMax(text: string): number {
  return text.length * 3
}

/**
 * Writes text as UTF-8 and gives the position after it. `into` must have room for {@link textBytesMax}.
 *
 * @throws {DataError} `BAD_TEXT` for half a surrogate pair: UTF-8 has no bytes for it, and two keys would become one
 */
export function writeText(text: string, into: Uint8Array, at: number): number {
  const { length } = text
  if (length >= NATIVE_FROM) return writeSlowly(text, into, at)
  for (let i = 0; i < length; i++) {
    const code = text.charCodeAt(i)
    if (code > 0x7f) return writeSlowly(text, into, at)
    into[at + i] = code
  }
  return at + length
}

function writeSlowly(text: string, into: Uint8Array, at: number): number {
  const { written } = encoder.encodeInto(text, into.subarray(at))
  // Only text that is not ASCII can hold half a pair.
  if (written !== text.length && /\p{Surrogate}/u.test(text))
    throw new DataError('BAD_TEXT', `${JSON.stringify(text)} has half a surrogate pair`)
  return at + written
}

/** Text of UTF-8 bytes [start, end); what is no UTF-8 becomes U+FFFD. */
export function readText(bytes: Uint8Array, start: number, end: number): string {
  return asBuffer(bytes).toString('utf8', start, end)
}

/** The same bytes as a Buffer, whose methods reach the engine's fastest routines. */
export function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
}

/** Keys and values as a user gives them: text, which is stored as UTF-8, or bytes. */
import { KvError } from './errors.ts'
import { KEY_BYTES_MAX, TTL_MS_MAX, VALUE_BYTES_MAX } from './limits.ts'

export type TextOrBytes = string | Uint8Array

const encoder = new TextEncoder()
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** So much fits a typed array that lies in the heap. */
const SHORT_LENGTH = 64

/** Half a surrogate pair would be stored as U+FFFD, and two different keys become one. */
const HALF_A_CHARACTER = /\p{Surrogate}/u

/** @throws {KvError} `BAD_KEY` */
export function keyBytes(key: TextOrBytes): Uint8Array {
  const bytes = typeof key === 'string' ? encodeKey(key) : key
  if (bytes.length === 0 || bytes.length > KEY_BYTES_MAX)
    throw new KvError(
      'BAD_KEY',
      `a key has 1 to ${String(KEY_BYTES_MAX)} bytes, not ${String(bytes.length)}`,
      notApplied,
    )
  return bytes
}

function encodeKey(key: string): Uint8Array {
  const bytes = key.length <= SHORT_LENGTH ? asciiBytes(key) : null
  if (bytes !== null) return bytes
  if (HALF_A_CHARACTER.test(key))
    throw new KvError('BAD_KEY', 'the key holds half a surrogate pair: give it as bytes', notApplied)
  return encoder.encode(key)
}

/** Most keys are short and ASCII: an encoder's call, and the buffer outside the heap that it makes, would cost more than all else. */
function asciiBytes(text: string): Uint8Array | null {
  const bytes = new Uint8Array(text.length)
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i)
    if (code > 0x7f) return null
    bytes[i] = code
  }
  return bytes
}

/** @throws {KvError} `TOO_LARGE` */
export function valueBytes(value: TextOrBytes): Uint8Array {
  const bytes = typeof value === 'string' ? encoder.encode(value) : value
  if (bytes.length > VALUE_BYTES_MAX) throw tooLarge(bytes.length)
  return bytes
}

/** @throws {KvError} `NOT_TEXT` */
export function valueText(value: Uint8Array): string {
  try {
    return decoder.decode(value)
  } catch (cause) {
    throw new KvError('NOT_TEXT', 'the value is not UTF-8 text: read it as bytes with get()', { cause })
  }
}

export function tooLarge(length: number): KvError {
  return new KvError(
    'TOO_LARGE',
    `a value has up to ${String(VALUE_BYTES_MAX)} bytes, not ${String(length)}: keep it in parts under several keys`,
    notApplied,
  )
}

const notApplied = { outcome: 'not-applied' } as const

/** @returns the time, acceptable @throws {KvError} `BAD_TTL` */
export function checkTtl(ttl: number): number {
  if (!Number.isInteger(ttl) || ttl < 1 || ttl > TTL_MS_MAX)
    throw new KvError(
      'BAD_TTL',
      `ttl is a whole number of milliseconds from 1 to ${String(TTL_MS_MAX)}, not ${String(ttl)}`,
      notApplied,
    )
  return ttl
}

/**
 * Keys as bytes whose bytewise order is the order of the keys. Text is UTF-8: its bytewise order is the order of code
 * points, which differs from JavaScript's `<` where characters beyond U+FFFF meet those from U+E000 on.
 */
import type { KeyCodec } from '../formats.ts'
import { DataError } from './errors.ts'
import { inPlaceCodec, toInPlace, type InPlace, type InPlaceCodec } from './in-place.ts'
import { readText, textBytesMax, writeText } from './text.ts'

/** UTF-8. The default. @throws {DataError} `BAD_KEY` for anything but text, `BAD_TEXT` for half a surrogate pair */
export const textKey: InPlaceCodec<string> = inPlaceCodec('text', {
  bytesMax(key) {
    if (typeof key !== 'string') refuse(key, 'text: name a codec for other keys, such as key: numberKey')
    return textBytesMax(key)
  },
  write: writeText,
  read: readText,
})

/** Bytes as they are. */
export const bytesKey: InPlaceCodec<Uint8Array> = inPlaceCodec('bytes', {
  bytesMax: (key) => key.length,
  write(key, into, at) {
    into.set(key, at)
    return at + key.length
  },
  read: (bytes, start, end) => bytes.slice(start, end),
})

/**
 * Numbers, negative ones first: the eight bytes of the double, all inverted when it is negative, else only the sign. -0
 * becomes 0.
 *
 * @throws {DataError} `BAD_KEY` for NaN, which has no place in the order
 */
export const numberKey: InPlaceCodec<number> = inPlaceCodec('number', {
  bytesMax(key) {
    if (typeof key !== 'number' || Number.isNaN(key)) refuse(key, 'a number')
    return 8
  },
  write(key, into, at) {
    scratch.setFloat64(0, key === 0 ? 0 : key)
    const flip = key < 0 ? 0xff : 0
    for (let i = 0; i < 8; i++) into[at + i] = scratch.getUint8(i) ^ (i === 0 ? flip | 0x80 : flip)
    return at + 8
  },
  read(bytes, start) {
    const flip = ((bytes[start] as number) & 0x80) === 0 ? 0xff : 0
    for (let i = 0; i < 8; i++)
      scratch.setUint8(i, (bytes[start + i] as number) ^ (i === 0 ? flip | 0x80 : flip))
    return scratch.getFloat64(0)
  },
})

const scratch = new DataView(new ArrayBuffer(8))

/** Integers of up to 254 bytes, negative ones first: how long they are, then their bytes, inverted when negative. */
export const bigintKey: InPlaceCodec<bigint> = inPlaceCodec('bigint', {
  bytesMax(key) {
    if (typeof key !== 'bigint') refuse(key, 'a bigint')
    return 2 + (magnitudeOf(key).length >> 1)
  },
  write(key, into, at) {
    const digits = magnitudeOf(key)
    const length = digits.length >> 1
    if (length > 254) refuse(key, 'an integer of at most 254 bytes')
    const flip = key < 0n ? 0xff : 0
    into[at] = key < 0n ? 0 : 1
    into[at + 1] = length ^ flip
    for (let i = 0; i < length; i++)
      into[at + 2 + i] = Number.parseInt(digits.slice(2 * i, 2 * i + 2), 16) ^ flip
    return at + 2 + length
  },
  read(bytes, start, end) {
    const negative = bytes[start] === 0
    let value = 0n
    for (let i = start + 2; i < end; i++)
      value = (value << 8n) | BigInt((bytes[i] as number) ^ (negative ? 0xff : 0))
    return negative ? -value : value
  },
})

/** Points in time, in their order. @throws {DataError} `BAD_KEY` for an invalid date */
export const dateKey: InPlaceCodec<Date> = inPlaceCodec('date', {
  bytesMax: (key) => numberKey.bytesMax(key.getTime()),
  write: (key, into, at) => numberKey.write(key.getTime(), into, at),
  read: (bytes, start, end) => new Date(numberKey.read(bytes, start, end)),
})

/** Several keys as one, ordered by the first, then by the second, and so on: `tupleKey(textKey, numberKey)`. */
export function tupleKey<T extends readonly unknown[]>(
  ...parts: { readonly [I in keyof T]: KeyCodec<T[I]> }
): InPlaceCodec<T> {
  const codecs = (parts as readonly KeyCodec<unknown>[]).map((part) => toInPlace(part))
  return inPlaceCodec(`(${parts.map((part: KeyCodec<unknown>) => part.name).join(', ')})`, {
    bytesMax(key) {
      if (!Array.isArray(key) || key.length !== codecs.length) refuse(key, `a tuple of ${codecs.length}`)
      return codecs.reduce((sum, codec, i) => sum + 2 * codec.bytesMax(key[i]) + 2, 0)
    },
    write: (key, into, at) => codecs.reduce((to, codec, i) => writeEscaped(codec, key[i], into, to, 0), at),
    read(bytes, start, end) {
      let at = start
      const key = codecs.map((codec) => {
        const part = readEscaped(bytes, at, end, 0)
        at = part.next
        return codec.read(part.bytes, 0, part.bytes.length)
      })
      return key as readonly unknown[] as T
    },
  })
}

/** The same keys the other way round: `descending(numberKey)` has the largest first. */
export function descending<K>(codec: KeyCodec<K>): InPlaceCodec<K> {
  const inner = toInPlace(codec)
  return inPlaceCodec(`descending ${codec.name}`, {
    bytesMax: (key) => 2 * inner.bytesMax(key) + 2,
    write: (key, into, at) => writeEscaped(inner, key, into, at, 0xff),
    read(bytes, start, end) {
      const part = readEscaped(bytes, start, end, 0xff)
      return inner.read(part.bytes, 0, part.bytes.length)
    },
  })
}

/**
 * A key that ends by itself, so that what follows is compared only between equals: 0 becomes 0 255, and 0 1 is the end,
 * which comes before everything that could go on. `flip` inverts every byte, and with them the order.
 */
function writeEscaped<T>(codec: InPlace<T>, key: T, into: Uint8Array, at: number, flip: number): number {
  const plain = new Uint8Array(codec.bytesMax(key))
  const length = codec.write(key, plain, 0)
  let to = at
  for (let i = 0; i < length; i++) {
    const byte = plain[i] as number
    into[to++] = byte ^ flip
    if (byte === 0) into[to++] = 0xff ^ flip
  }
  into[to++] = flip
  into[to++] = 1 ^ flip
  return to
}

function readEscaped(
  bytes: Uint8Array,
  start: number,
  end: number,
  flip: number,
): { readonly bytes: Uint8Array; readonly next: number } {
  const plain = new Uint8Array(end - start)
  let length = 0
  for (let at = start; at < end;) {
    const byte = (bytes[at++] as number) ^ flip
    if (byte === 0 && ((bytes[at++] as number) ^ flip) === 1)
      return { bytes: plain.subarray(0, length), next: at }
    plain[length++] = byte
  }
  throw new DataError('BAD_KEY', 'bytes of a key that does not end')
}

/** An even number of hexadecimal digits; none for zero. */
function magnitudeOf(key: bigint): string {
  if (key === 0n) return ''
  const digits = (key < 0n ? -key : key).toString(16)
  return digits.length % 2 === 0 ? digits : `0${digits}`
}

function refuse(key: unknown, wanted: string): never {
  throw new DataError('BAD_KEY', `the key ${shown(key)} is not ${wanted}`)
}

function shown(key: unknown): string {
  if (typeof key === 'string') return JSON.stringify(key.slice(0, 80))
  return typeof key === 'number' || typeof key === 'bigint' ? String(key).slice(0, 80) : typeof key
}

/** Values as bytes. Their order means nothing. */
import { ByteReader, ProtocolError, jsonCodec, toError } from '@lab/rpc'
import { DataError } from './errors.ts'
import { inPlaceCodec, type InPlaceCodec } from './in-place.ts'
import { readText, textBytesMax, writeText } from './text.ts'

const json = jsonCodec()

/** The first byte says what follows. Small counts, which most values are, are the byte itself. */
const TAG_JSON = 0xff
const TAG_TEXT = 0xfe
const TAG_DOUBLE = 0xfd
const TAG_U32 = 0xfc
const SMALL_MAX = 0xef

/**
 * JSON, with short forms for numbers and text. Numbers keep what JSON loses: -0, NaN and the infinities. The default.
 *
 * @throws {DataError} `BAD_VALUE` for what JSON would not give back: dates, maps, class instances, functions, undefined inside
 */
export const jsonValue: InPlaceCodec<unknown> = inPlaceCodec<unknown>('json', {
  bytesMax(value) {
    if (typeof value === 'number') return 9
    if (typeof value === 'string') return 1 + textBytesMax(value)
    encoded = encodeJson(value)
    return 1 + encoded.length
  },
  write(value, into, at) {
    if (typeof value === 'number') return writeNumber(value, into, at)
    if (typeof value === 'string') {
      into[at] = TAG_TEXT
      return writeText(value, into, at + 1)
    }
    into[at] = TAG_JSON
    into.set(encoded, at + 1)
    return at + 1 + encoded.length
  },
  read(bytes, start, end) {
    const tag = start < end ? (bytes[start] as number) : -1
    if (tag >= 0 && tag <= SMALL_MAX && end === start + 1) return tag
    switch (tag) {
      case TAG_U32:
        return new ByteReader(bytes, start + 1, end).u32()
      case TAG_DOUBLE:
        return new ByteReader(bytes, start + 1, end).f64()
      case TAG_TEXT:
        return readText(bytes, start + 1, end)
      case TAG_JSON:
        return json.decode(bytes.subarray(start + 1, end))
      default:
        throw new ProtocolError('a value of an unknown kind')
    }
  },
})

/** UTF-8 text, and nothing else. */
export const textValue: InPlaceCodec<string> = inPlaceCodec('text', {
  bytesMax(value) {
    if (typeof value !== 'string') throw new DataError('BAD_VALUE', `a value is ${typeof value}, not text`)
    return textBytesMax(value)
  },
  write: writeText,
  read: readText,
})

/** Bytes as they are. */
export const bytesValue: InPlaceCodec<Uint8Array> = inPlaceCodec('bytes', {
  bytesMax: (value) => value.length,
  write(value, into, at) {
    into.set(value, at)
    return at + value.length
  },
  read: (bytes, start, end) => bytes.slice(start, end),
})

/** Between bytesMax and write of one value. */
let encoded: Uint8Array = new Uint8Array(0)

const scratch = new DataView(new ArrayBuffer(8))

function writeNumber(value: number, into: Uint8Array, at: number): number {
  const whole = value >>> 0
  if (whole !== value || Object.is(value, -0)) {
    into[at] = TAG_DOUBLE
    scratch.setFloat64(0, value, true)
    for (let i = 0; i < 8; i++) into[at + 1 + i] = scratch.getUint8(i)
    return at + 9
  }
  if (whole <= SMALL_MAX) {
    into[at] = whole
    return at + 1
  }
  into[at] = TAG_U32
  into[at + 1] = whole
  into[at + 2] = whole >>> 8
  into[at + 3] = whole >>> 16
  into[at + 4] = whole >>> 24
  return at + 5
}

function encodeJson(value: unknown): Uint8Array {
  try {
    return json.encode(value)
  } catch (thrown) {
    throw new DataError('BAD_VALUE', toError(thrown).message, { cause: thrown })
  }
}

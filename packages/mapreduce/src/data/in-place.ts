/** Codecs that write into the engine's own buffers. A user's codec, which makes an array for each key, is wrapped. */
import type { KeyCodec, ValueCodec } from '../formats.ts'

/** Keys or values, as bytes and back, without an array for each. */
export interface InPlace<T> {
  /** At least as many bytes as {@link write} will take. */
  bytesMax(value: T): number
  /** Writes at `at` and gives the position after it. */
  write(value: T, into: Uint8Array, at: number): number
  /** Reads what was written at [start, end). */
  read(bytes: Uint8Array, start: number, end: number): T
}

/** A codec that also works in place. */
export type InPlaceCodec<T> = KeyCodec<T> & ValueCodec<T> & InPlace<T>

/** Adds `encode` and `decode` to a codec in place. */
export function inPlaceCodec<T>(name: string, inPlace: InPlace<T>): InPlaceCodec<T> {
  return {
    name,
    bytesMax: (value) => inPlace.bytesMax(value),
    write: (value, into, at) => inPlace.write(value, into, at),
    read: (bytes, start, end) => inPlace.read(bytes, start, end),
    encode(value) {
      const bytes = new Uint8Array(inPlace.bytesMax(value))
      return bytes.subarray(0, inPlace.write(value, bytes, 0))
    },
    decode: (bytes) => inPlace.read(bytes, 0, bytes.length),
  }
}

/** Any codec as one that works in place. `decode` of a user's codec may keep its bytes: it gets a copy. */
export function toInPlace<T>(codec: KeyCodec<T> | ValueCodec<T>): InPlace<T> {
  if (isInPlace(codec)) return codec
  let encoded: Uint8Array = new Uint8Array(0)
  return {
    bytesMax(value) {
      encoded = codec.encode(value)
      return encoded.length
    },
    // Asked right after bytesMax for the same value, so that a user's codec encodes once.
    write(_value, into, at) {
      into.set(encoded, at)
      return at + encoded.length
    },
    read: (bytes, start, end) => codec.decode(bytes.slice(start, end)),
  }
}

function isInPlace<T>(codec: KeyCodec<T> | ValueCodec<T>): codec is InPlaceCodec<T> {
  return 'write' in codec && 'read' in codec && 'bytesMax' in codec
}

/** Turns values into bytes and back. `decode` throws on anything that `encode` would not write. */
export interface Codec<T> {
  encode(value: T): Uint8Array
  decode(bytes: Uint8Array): T
}

/** Bytes as they are; decoding gives a view. */
export const bytesCodec: Codec<Uint8Array> = {
  encode: (value) => value,
  decode: (bytes) => bytes,
}

/** How bytes become records, pairs become bytes, and results become files. All can be the user's own. */

/** A piece of one input file: the records whose first byte is in [start, end). */
export interface Split {
  /** As the user named it, or as a glob found it. */
  readonly file: string
  readonly start: number
  readonly end: number
  /** Of the whole file: a machine that has another file of this name has not this one. */
  readonly fileBytes: number
}

/** A record with the byte of the file at which it begins. */
export interface InputRecord<Rec> {
  readonly offset: number
  readonly record: Rec
}

/** Bytes of one input file, wherever it is: a local file, or one that is streamed from the machine that has it. */
export interface InputBytes {
  /** Of the whole file. */
  readonly size: number
  /** Up to `length` bytes from `position` on; fewer only at the end of the file. A view, valid until the next call. */
  read(position: number, length: number): Uint8Array | Promise<Uint8Array>
  /** The same, put where it is wanted. @returns how many bytes `into` got. Where it is missing, {@link read} and a copy do */
  readInto?(into: Uint8Array, position: number): number
}

export interface InputFormat<Rec> {
  readonly name: string
  /** False: a file is one split, whatever its size. */
  readonly splittable: boolean
  /** Batches of the records that begin in [start, end), in order. */
  records(input: InputBytes, start: number, end: number): AsyncIterable<readonly InputRecord<Rec>[]>
}

/** Keys as bytes: the bytewise order of the encodings is the order in which reduce sees the keys. */
export interface KeyCodec<K> {
  readonly name: string
  encode(key: K): Uint8Array
  decode(bytes: Uint8Array): K
}

export interface ValueCodec<V> {
  readonly name: string
  encode(value: V): Uint8Array
  decode(bytes: Uint8Array): V
}

export interface OutputFormat<K, V> {
  readonly name: string
  /** What one pair looks like in the part file, its line end included. */
  encode(key: K, value: V): Uint8Array
}

/** Reads a segment block by block, each checked before anything in it is believed. */
import type { TaskFile } from './files.ts'
import { fitsPacked, unpackPairs } from './packed-pairs.ts'
import { BLOCK_BYTES, BLOCK_HEADER_BYTES, checksumOf, corrupt, type Segment } from './spill-format.ts'
import { asBuffer } from './text.ts'

export class BlockReader {
  readonly #file: TaskFile
  readonly #header = asBuffer(new Uint8Array(BLOCK_HEADER_BYTES))
  readonly #end: number
  #position: number
  #recordsLeft: number
  #blocks = 0
  #payload = 0
  #pairs = 0
  #unpacked = 0
  #packed = new Uint8Array(0)

  /** @param file holds the segment's bytes; it is the caller's to close */
  constructor(file: TaskFile, segment: Segment) {
    this.#file = file
    this.#position = segment.offset
    this.#end = segment.offset + segment.bytes
    this.#recordsLeft = segment.records
  }

  get path(): string {
    return this.#file.path
  }

  /** Where the next block begins in the file. */
  get position(): number {
    return this.#position
  }

  /** Pairs of the block whose header was read last. */
  get pairs(): number {
    return this.#pairs
  }

  /** Bytes of that block when its pairs are packed, else 0. */
  get packedBytes(): number {
    return this.#payload < this.#unpacked ? this.#payload : 0
  }

  /** Reads the header of the next block. @returns the bytes of its pairs; 0 at the end @throws {DataError} `SPILL_CORRUPT` */
  next(): number {
    if (this.#position === this.#end) {
      if (this.#recordsLeft !== 0)
        throw corrupt(this.path, `lacks ${this.#recordsLeft} pairs at byte ${this.#end}`)
      this.#pairs = this.#payload = this.#unpacked = 0
      return 0
    }
    this.#load(this.#position, this.#header)
    this.#payload = this.#header.readUInt32LE(0)
    this.#pairs = this.#header.readUInt32LE(4)
    this.#unpacked = this.#header.readUInt32LE(12)
    if (this.#pairs === 0 || this.#payload === 0 || this.#unpacked < this.#payload) throw this.#damaged()
    // Memory is taken for so many bytes, which may be more than the segment has.
    if (this.packedBytes > 0 && this.#unpacked > BLOCK_BYTES) throw this.#damaged()
    return this.#unpacked
  }

  /** Reads the pairs of that block. `into` has just room for them. @throws {DataError} `SPILL_CORRUPT` */
  read(into: Uint8Array): void {
    const packedBytes = this.packedBytes
    if (packedBytes === 0) this.#take(into)
    else {
      if (this.#packed.length < packedBytes) this.#packed = new Uint8Array(BLOCK_BYTES)
      const packed = this.#packed.subarray(0, packedBytes)
      this.readPacked(packed)
      unpackPairs(packed, into)
    }
  }

  /** Reads the pairs of that block as they are packed. `into` has just room for them. @throws {DataError} `SPILL_CORRUPT` */
  readPacked(into: Uint8Array): void {
    const before = this.#position
    this.#take(into)
    if (!fitsPacked(into, this.#pairs, this.#unpacked))
      throw corrupt(this.path, `has a block that is not packed as it says, at byte ${before}`)
  }

  #take(into: Uint8Array): void {
    this.#load(this.#position + BLOCK_HEADER_BYTES, into)
    const header = this.#header
    if (header.readUInt32LE(8) !== this.#blocks || header.readUInt32LE(16) !== checksumOf(header, into))
      throw this.#damaged()
    this.#position += BLOCK_HEADER_BYTES + this.#payload
    this.#blocks++
    this.#recordsLeft -= this.#pairs
  }

  #load(position: number, into: Uint8Array): void {
    // A length that was damaged must not be believed.
    if (position + into.length > this.#end) throw this.#damaged()
    if (this.#file.read(into, position) !== into.length)
      throw corrupt(this.path, `ends before byte ${position + into.length}`)
  }

  #damaged(): Error {
    return corrupt(this.path, `has a damaged block at byte ${this.#position}`)
  }
}

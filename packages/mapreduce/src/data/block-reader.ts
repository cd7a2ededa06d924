/** Reads a segment block by block, each checked before anything in it is believed. */
import type { TaskFile } from './files.ts'
import { BLOCK_HEADER_BYTES, checksumOf, corrupt, type Segment } from './spill-format.ts'
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

  /** Reads the header of the next block. @returns the bytes of its pairs; 0 at the end @throws {DataError} `SPILL_CORRUPT` */
  next(): number {
    if (this.#position === this.#end) {
      if (this.#recordsLeft !== 0)
        throw corrupt(this.path, `lacks ${this.#recordsLeft} pairs at byte ${this.#end}`)
      this.#pairs = 0
      return 0
    }
    this.#load(this.#position, this.#header)
    this.#payload = this.#header.readUInt32LE(0)
    this.#pairs = this.#header.readUInt32LE(4)
    if (this.#pairs === 0 || this.#payload === 0) throw this.#damaged()
    return this.#payload
  }

  /** Reads the pairs of that block. `into` has just room for them. @throws {DataError} `SPILL_CORRUPT` */
  read(into: Uint8Array): void {
    this.#load(this.#position + BLOCK_HEADER_BYTES, into)
    const header = this.#header
    if (header.readUInt32LE(8) !== this.#blocks || header.readUInt32LE(12) !== checksumOf(header, into))
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

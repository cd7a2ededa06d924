/** Reads a segment, pair by pair, holding one block of it. */
import type { TaskFile } from './files.ts'
import { PairView } from './pairs.ts'
import { BLOCK_HEADER_BYTES, blockChecksum, corrupt, type Segment } from './spill-format.ts'
import { asBuffer } from './text.ts'

/** A sorted run of pairs. The present one stands in `bytes`, at `pair`, until the next call of `next`. */
export interface SortedRun {
  readonly bytes: Uint8Array
  readonly pair: PairView
  /** Goes to the next pair; false after the last. @throws {DataError} `SPILL_CORRUPT` */
  next(): boolean
}

export class SegmentReader implements SortedRun {
  readonly pair = new PairView()
  #bytes: Buffer = asBuffer(new Uint8Array(0))
  readonly #file: TaskFile
  #position: number
  readonly #end: number
  #recordsLeft: number
  #blockEnd = 0
  #pairsLeft = 0
  #blocks = 0

  /** @param file holds the segment's bytes; it is the caller's to close */
  constructor(file: TaskFile, segment: Segment) {
    this.#file = file
    this.#position = segment.offset
    this.#end = segment.offset + segment.bytes
    this.#recordsLeft = segment.records
  }

  get bytes(): Uint8Array {
    return this.#bytes
  }

  next(): boolean {
    if (this.#pairsLeft === 0 && !this.#nextBlock()) return false
    this.#pairsLeft--
    if (this.pair.readAt(this.#bytes, this.pair.end, this.#blockEnd)) return true
    throw corrupt(this.#file.path, `has a pair that does not fit, before byte ${this.#position}`)
  }

  #nextBlock(): boolean {
    const { path } = this.#file
    if (this.#position === this.#end) {
      if (this.#recordsLeft !== 0)
        throw corrupt(path, `lacks ${this.#recordsLeft} pairs at byte ${this.#end}`)
      return false
    }
    const at = this.#position
    this.#load(at, BLOCK_HEADER_BYTES, 0)
    const payload = this.#bytes.readUInt32LE(0)
    const pairs = this.#bytes.readUInt32LE(4)
    const [number, crc] = [this.#bytes.readUInt32LE(8), this.#bytes.readUInt32LE(12)]
    this.#load(at + BLOCK_HEADER_BYTES, payload, BLOCK_HEADER_BYTES)
    const size = BLOCK_HEADER_BYTES + payload
    if (number !== this.#blocks || pairs === 0 || crc !== blockChecksum(this.#bytes, 0, size))
      throw corrupt(path, `has a damaged block at byte ${at}`)
    this.#position += size
    this.#blocks++
    this.#recordsLeft -= pairs
    this.#pairsLeft = pairs
    this.#blockEnd = size
    this.pair.end = BLOCK_HEADER_BYTES
    return true
  }

  /** Reads `length` bytes from `position` on to place `at` of the buffer, which keeps what stands before. */
  #load(position: number, length: number, at: number): void {
    if (position + length > this.#end)
      throw corrupt(this.#file.path, `has a damaged block before byte ${position}`)
    if (at + length > this.#bytes.length) {
      const grown = asBuffer(new Uint8Array(at + length))
      grown.set(this.#bytes.subarray(0, at))
      this.#bytes = grown
    }
    if (this.#file.read(this.#bytes.subarray(at, at + length), position) !== length)
      throw corrupt(this.#file.path, `ends before byte ${position + length}`)
  }
}

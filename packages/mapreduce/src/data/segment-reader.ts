/** Reads a segment, pair by pair, holding one block of it. */
import { BlockReader } from './block-reader.ts'
import type { TaskFile } from './files.ts'
import { PairView } from './pairs.ts'
import { BLOCK_BYTES, corrupt, type Segment } from './spill-format.ts'

/** A sorted run of pairs. The present one stands in `bytes`, at `pair`, until the next call of `next`. */
export interface SortedRun {
  readonly bytes: Uint8Array
  readonly pair: PairView
  /** Goes to the next pair; false after the last. @throws {DataError} `SPILL_CORRUPT` */
  next(): boolean
}

export class SegmentReader implements SortedRun {
  readonly pair = new PairView()
  #bytes = new Uint8Array(0)
  readonly #blocks: BlockReader
  readonly #size: number
  #blockEnd = 0
  #pairsLeft = 0

  /** @param file holds the segment's bytes; it is the caller's to close */
  constructor(file: TaskFile, segment: Segment) {
    this.#blocks = new BlockReader(file, segment)
    this.#size = segment.bytes
  }

  get bytes(): Uint8Array {
    return this.#bytes
  }

  next(): boolean {
    if (this.#pairsLeft === 0 && !this.#nextBlock()) return false
    this.#pairsLeft--
    if (this.pair.readAt(this.#bytes, this.pair.end, this.#blockEnd)) return true
    throw corrupt(this.#blocks.path, `has a pair that does not fit, before byte ${this.#blocks.position}`)
  }

  #nextBlock(): boolean {
    const payload = this.#blocks.next()
    if (payload === 0) return false
    // No longer than the segment, unless packed: what does not fit is found out when it is read.
    if (payload > this.#bytes.length) {
      const most = this.#blocks.packedBytes > 0 ? BLOCK_BYTES : this.#size
      this.#bytes = new Uint8Array(Math.min(Math.max(payload, BLOCK_BYTES), most))
    }
    this.#blocks.read(this.#bytes.subarray(0, payload))
    this.#pairsLeft = this.#blocks.pairs
    this.#blockEnd = payload
    this.pair.end = 0
    return true
  }
}

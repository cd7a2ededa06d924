/**
 * Where entries stand on disk: a mark every few KiB of log, so that a million small entries cost some kilobytes of
 * memory. From a mark one reads on; records say their own length.
 */
import type { Index } from '../../types.ts'

/** Log bytes from one mark to the next, at least. */
const STRIDE_BYTES = 4096

export interface Mark {
  readonly index: Index
  /** Segment number. */
  readonly segment: number
  /** Offset of the entry's record in the segment. */
  readonly position: number
  /** Where the record of the last entry ends that is read from this mark. */
  readonly end: number
}

export class Positions {
  /** Four numbers a mark, as in {@link Mark}. Indexes ascend strictly. */
  #numbers = new Float64Array(4 * 64)
  #count = 0
  /** From each mark to its end, over all marks. */
  #bytes = 0
  /** The entry put last. */
  #lastIndex: Index = 0
  /** Up to here, in the segment of the last mark, entries need no mark of their own. */
  #markedUntil = 0
  #segment = 0

  get count(): number {
    return this.#count
  }

  /** Bytes of the files that the entries stand in, what stands between them included. */
  get bytes(): number {
    return this.#bytes
  }

  /** Says where the entry `index` stands, in so many bytes. What was known of it and of later ones is replaced. */
  put(index: Index, segment: number, position: number, bytes: number): void {
    if (index <= this.#lastIndex) {
      this.#removeFrom(index)
      this.#push(index, segment, position, bytes)
    } else if (segment !== this.#segment || position >= this.#markedUntil)
      this.#push(index, segment, position, bytes)
    else this.#extend(position + bytes)
    this.#lastIndex = index
  }

  /** Between what was put last and what comes next stands something else: that gets a mark of its own. */
  breakOff(): void {
    this.#markedUntil = 0
  }

  clear(): void {
    this.#count = 0
    this.#bytes = 0
    this.#lastIndex = 0
    this.#markedUntil = 0
  }

  /** Forgets marks that entries from `index` on do not need. */
  removeBefore(index: Index): void {
    const keep = this.find(index)
    if (keep <= 0) return
    for (let which = 0; which < keep; which++) this.#bytes -= this.#bytesOf(which)
    this.#numbers.copyWithin(0, 4 * keep, 4 * this.#count)
    this.#count -= keep
  }

  /** Which mark to read from for the entry `index`; -1 when there is none. */
  find(index: Index): number {
    let low = 0
    let high = this.#count
    while (low < high) {
      const middle = (low + high) >>> 1
      if ((this.#numbers[4 * middle] as number) <= index) low = middle + 1
      else high = middle
    }
    return low - 1
  }

  at(which: number): Mark | null {
    if (which < 0 || which >= this.#count) return null
    const [index = 0, segment = 0, position = 0, end = 0] = this.#numbers.subarray(4 * which, 4 * which + 4)
    return { index, segment, position, end }
  }

  #removeFrom(index: Index): void {
    while (this.#count > 0 && (this.#numbers[4 * (this.#count - 1)] as number) >= index) {
      this.#count--
      this.#bytes -= this.#bytesOf(this.#count)
    }
  }

  #push(index: Index, segment: number, position: number, bytes: number): void {
    if (4 * this.#count === this.#numbers.length) {
      const grown = new Float64Array(2 * this.#numbers.length)
      grown.set(this.#numbers)
      this.#numbers = grown
    }
    this.#numbers.set([index, segment, position, position + bytes], 4 * this.#count)
    this.#count++
    this.#bytes += bytes
    this.#segment = segment
    this.#markedUntil = position + STRIDE_BYTES
  }

  #extend(end: number): void {
    const at = 4 * this.#count - 1
    this.#bytes += end - (this.#numbers[at] as number)
    this.#numbers[at] = end
  }

  #bytesOf(which: number): number {
    return (this.#numbers[4 * which + 3] as number) - (this.#numbers[4 * which + 2] as number)
  }
}

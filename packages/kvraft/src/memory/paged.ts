/**
 * Growing arrays of numbers in pages of 64 KB: a page more is the most that growing ever costs, where a typed array that doubles
 * would hold the event loop for as long as copying all of it takes. Only the first page doubles until it has its size: a process may
 * hold thousands of shards of a few keys each.
 */
import { lastingMemory } from './lasting.ts'

/** Of the first page, to begin with. */
const WORDS_MIN = 64
const WORD_BITS = 14
const WORDS_PER_PAGE = 1 << WORD_BITS
const WORD_MASK = WORDS_PER_PAGE - 1

/** Unsigned 32-bit numbers; those never set are 0. */
export class PagedWords {
  readonly #pages: Uint32Array[] = []
  /** Indexes below this one have room. */
  #length = 0

  /** Bytes held. */
  get bytes(): number {
    return this.#length * 4
  }

  /** Makes room for indexes below `length`. */
  reserve(length: number): void {
    if (length <= this.#length) return
    if (this.#length < WORDS_PER_PAGE) this.#growFirst(length)
    for (; this.#length < length; this.#length += WORDS_PER_PAGE)
      this.#pages.push(new Uint32Array(lastingMemory(WORDS_PER_PAGE * Uint32Array.BYTES_PER_ELEMENT)))
  }

  /** Within what was reserved. */
  get(index: number): number {
    return (this.#pages[index >>> WORD_BITS] as Uint32Array)[index & WORD_MASK] as number
  }

  /** Within what was reserved. */
  set(index: number, value: number): void {
    ;(this.#pages[index >>> WORD_BITS] as Uint32Array)[index & WORD_MASK] = value
  }

  /** Moves `count` numbers from `from` to `to`; each of the two runs lies within one group of 2^n ≤ 2^14 that is aligned to its size. */
  move(from: number, to: number, count: number): void {
    if (count === 0) return
    const source = this.#pages[from >>> WORD_BITS] as Uint32Array
    const target = this.#pages[to >>> WORD_BITS] as Uint32Array
    const start = from & WORD_MASK
    if (source === target) source.copyWithin(to & WORD_MASK, start, start + count)
    else target.set(source.subarray(start, start + count), to & WORD_MASK)
  }

  /**
   * The page that holds `index`, for whoever reads several numbers in a row: they begin at `index & PAGE_MASK` in it. Good until more
   * is reserved.
   */
  page(index: number): Uint32Array {
    return this.#pages[index >>> WORD_BITS] as Uint32Array
  }

  #growFirst(length: number): void {
    let size = Math.max(2 * this.#length, WORDS_MIN)
    while (size < length && size < WORDS_PER_PAGE) size *= 2
    const grown = new Uint32Array(size)
    if (this.#pages[0] !== undefined) grown.set(this.#pages[0])
    this.#pages[0] = grown
    this.#length = size
  }
}

export const PAGE_MASK = WORD_MASK

const DOUBLE_BITS = 9
const DOUBLE_MASK = (1 << DOUBLE_BITS) - 1

/** Doubles of which few are set: pages that hold none cost nothing. Those never set are 0. */
export class SparseDoubles {
  readonly #pages: (Float64Array | undefined)[] = []

  get(index: number): number {
    return this.#pages[index >>> DOUBLE_BITS]?.[index & DOUBLE_MASK] ?? 0
  }

  set(index: number, value: number): void {
    const page = (this.#pages[index >>> DOUBLE_BITS] ??= new Float64Array(1 << DOUBLE_BITS))
    page[index & DOUBLE_MASK] = value
  }
}

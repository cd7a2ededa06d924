/**
 * Records in an order: a B+-tree of two levels. A leaf is 256 record numbers; the root is the list of all leaves. A leaf's first
 * record stands for it in the root, so that there are no separators to be kept right. A root of a million records is some 6000
 * numbers: making room in it costs about a microsecond, and only when a leaf is split.
 */
import { assert } from '@lab/rpc'
import { PagedWords } from './paged.ts'
import { NO_RECORD, type RecordNumber } from './records.ts'

/** Compares what is sought, which the order holds, with a record. */
export interface Order {
  /** @returns below 0 when what is sought comes before `record`, 0 when it is the same */
  compare(record: RecordNumber): number
}

/** A place in the index, good until the next change of it. */
export type Position = number

const LEAF_BITS = 8
const LEAF_SIZE = 1 << LEAF_BITS
const LEAF_MASK = LEAF_SIZE - 1
/** Two neighbours that hold no more together become one. */
const MERGED_MAX = LEAF_SIZE >>> 1

export class OrderedIndex {
  readonly #order: Order
  /** Leaf n holds the numbers from n · 256 on. */
  readonly #numbers = new PagedWords()
  /** By leaf: how many it holds, never 0. */
  readonly #counts = new PagedWords()
  /** The leaves in order. */
  #leaves = new Uint32Array(16)
  #leafCount = 0
  #leavesMade = 0
  readonly #freeLeaves: number[] = []
  #count = 0

  constructor(order: Order) {
    this.#order = order
  }

  get count(): number {
    return this.#count
  }

  /** Bytes held. */
  get bytes(): number {
    return this.#numbers.bytes + this.#counts.bytes + this.#leaves.byteLength
  }

  /** The first place whose record does not come before what the order seeks. */
  seek(): Position {
    const ordinal = this.#leafFor()
    if (ordinal < 0) return 0
    const leaf = this.#leaf(ordinal)
    const at = this.#within(leaf)
    return at < this.#counts.get(leaf) ? this.#position(ordinal, at) : this.#position(ordinal + 1, 0)
  }

  /** @returns {@link NO_RECORD} behind the last one */
  at(position: Position): RecordNumber {
    const ordinal = position >>> LEAF_BITS
    if (ordinal >= this.#leafCount) return NO_RECORD
    return this.#numbers.get((this.#leaf(ordinal) << LEAF_BITS) + (position & LEAF_MASK))
  }

  after(position: Position): Position {
    const ordinal = position >>> LEAF_BITS
    const at = (position & LEAF_MASK) + 1
    return at < this.#counts.get(this.#leaf(ordinal)) ? position + 1 : this.#position(ordinal + 1, 0)
  }

  /** Adds the record that the order seeks, which is not there. */
  add(record: RecordNumber): void {
    this.#count++
    const ordinal = this.#leafFor()
    if (ordinal < 0) {
      this.#setFirst(this.#insertLeaf(0), record)
      return
    }
    const leaf = this.#leaf(ordinal)
    const at = this.#within(leaf)
    if (this.#counts.get(leaf) < LEAF_SIZE) {
      this.#insertAt(leaf, at, record)
      return
    }
    // In rising order, as out of a snapshot, leaves stay full.
    if (at === LEAF_SIZE && ordinal === this.#leafCount - 1) {
      this.#setFirst(this.#insertLeaf(ordinal + 1), record)
      return
    }
    const right = this.#split(ordinal, leaf)
    const half = LEAF_SIZE >>> 1
    if (at <= half) this.#insertAt(leaf, at, record)
    else this.#insertAt(right, at - half, record)
  }

  /** Adds a record that comes after all others. */
  addLast(record: RecordNumber): void {
    this.#count++
    const ordinal = this.#leafCount - 1
    const leaf = ordinal < 0 ? -1 : this.#leaf(ordinal)
    const count = leaf < 0 ? LEAF_SIZE : this.#counts.get(leaf)
    if (count < LEAF_SIZE) this.#insertAt(leaf, count, record)
    else this.#setFirst(this.#insertLeaf(ordinal + 1), record)
  }

  /** Takes out the record that the order seeks, which is there. */
  remove(record: RecordNumber): void {
    const ordinal = this.#leafFor()
    const leaf = this.#leaf(ordinal)
    const at = this.#within(leaf)
    const start = leaf << LEAF_BITS
    const left = this.#counts.get(leaf) - 1
    assert(ordinal >= 0 && this.#numbers.get(start + at) === record, 'a record taken out stands in its place')
    this.#numbers.move(start + at + 1, start + at, left - at)
    this.#counts.set(leaf, left)
    this.#count--
    if (left === 0) this.#removeLeaf(ordinal)
    else if (left < MERGED_MAX) this.#mergeAround(ordinal)
  }

  /** Takes out the first record, without a comparison. @returns {@link NO_RECORD} when there is none */
  removeFirst(): RecordNumber {
    if (this.#leafCount === 0) return NO_RECORD
    const leaf = this.#leaf(0)
    const start = leaf << LEAF_BITS
    const record = this.#numbers.get(start)
    const left = this.#counts.get(leaf) - 1
    this.#numbers.move(start + 1, start, left)
    this.#counts.set(leaf, left)
    this.#count--
    if (left === 0) this.#removeLeaf(0)
    return record
  }

  /** The last leaf that begins at or before what is sought, or the first; -1 when there is none. */
  #leafFor(): number {
    let low = 0
    let high = this.#leafCount
    // Where rising keys end up.
    if (high > 0 && this.#order.compare(this.#first(high - 1)) >= 0) return high - 1
    while (low < high) {
      const middle = (low + high) >>> 1
      if (this.#order.compare(this.#first(middle)) >= 0) low = middle + 1
      else high = middle
    }
    return low > 0 ? low - 1 : this.#leafCount > 0 ? 0 : -1
  }

  /** The first place in the leaf whose record does not come before what is sought. */
  #within(leaf: number): number {
    const start = leaf << LEAF_BITS
    let low = 0
    let high = this.#counts.get(leaf)
    // Where rising keys end up.
    if (this.#order.compare(this.#numbers.get(start + high - 1)) > 0) return high
    while (low < high) {
      const middle = (low + high) >>> 1
      if (this.#order.compare(this.#numbers.get(start + middle)) > 0) low = middle + 1
      else high = middle
    }
    return low
  }

  #insertAt(leaf: number, at: number, record: RecordNumber): void {
    const start = leaf << LEAF_BITS
    const count = this.#counts.get(leaf)
    if (at < count) this.#numbers.move(start + at, start + at + 1, count - at)
    this.#numbers.set(start + at, record)
    this.#counts.set(leaf, count + 1)
  }

  #setFirst(leaf: number, record: RecordNumber): void {
    this.#numbers.set(leaf << LEAF_BITS, record)
    this.#counts.set(leaf, 1)
  }

  /** The upper half of a full leaf goes to a new one after it. */
  #split(ordinal: number, leaf: number): number {
    const half = LEAF_SIZE >>> 1
    const right = this.#insertLeaf(ordinal + 1)
    this.#numbers.move((leaf << LEAF_BITS) + half, right << LEAF_BITS, half)
    this.#counts.set(leaf, half)
    this.#counts.set(right, half)
    return right
  }

  #mergeAround(ordinal: number): void {
    if (ordinal + 1 < this.#leafCount && this.#mergeWithNext(ordinal)) return
    if (ordinal > 0) this.#mergeWithNext(ordinal - 1)
  }

  #mergeWithNext(ordinal: number): boolean {
    const leaf = this.#leaf(ordinal)
    const next = this.#leaf(ordinal + 1)
    const count = this.#counts.get(leaf)
    const more = this.#counts.get(next)
    if (count + more > MERGED_MAX) return false
    this.#numbers.move(next << LEAF_BITS, (leaf << LEAF_BITS) + count, more)
    this.#counts.set(leaf, count + more)
    this.#removeLeaf(ordinal + 1)
    return true
  }

  /** Makes an empty leaf at `ordinal`, to be filled at once. */
  #insertLeaf(ordinal: number): number {
    if (this.#leafCount === this.#leaves.length) {
      const grown = new Uint32Array(this.#leaves.length * 2)
      grown.set(this.#leaves)
      this.#leaves = grown
    }
    const leaf = this.#freeLeaves.pop() ?? this.#leavesMade++
    this.#numbers.reserve((leaf + 1) << LEAF_BITS)
    this.#counts.reserve(leaf + 1)
    this.#leaves.copyWithin(ordinal + 1, ordinal, this.#leafCount++)
    this.#leaves[ordinal] = leaf
    return leaf
  }

  #removeLeaf(ordinal: number): void {
    this.#freeLeaves.push(this.#leaf(ordinal))
    this.#leaves.copyWithin(ordinal, ordinal + 1, this.#leafCount--)
  }

  #leaf(ordinal: number): number {
    return this.#leaves[ordinal] as number
  }

  #first(ordinal: number): RecordNumber {
    return this.#numbers.get(this.#leaf(ordinal) << LEAF_BITS)
  }

  #position(ordinal: number, at: number): Position {
    return (ordinal << LEAF_BITS) + at
  }
}

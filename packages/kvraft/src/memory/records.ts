/**
 * What is kept of each key: 32 bytes of numbers, one cache line, and a block with key and value. A record is a number; those of
 * records that are gone are used again.
 *
 *     word 0  hash of the key        word 4  bytes of the value
 *     word 1  next (hash chain,      word 5  version, low 32 bits
 *             free list), plus one   word 6  changed, low 32 bits
 *     word 2  address of the block   word 7  version, high 11 bits · changed, high 21 bits
 *     word 3  bytes of the key
 */
import { PAGE_MASK, PagedWords } from './paged.ts'
import { classOf } from './size-classes.ts'
import { Slab } from './slab.ts'
import { BLOCK_HEADER_BYTES, type StoredReader } from './stored-record.ts'

/** A number from 0 on, for as long as the key exists. */
export type RecordNumber = number

/** Instead of a record number. */
export const NO_RECORD = -1

const TWO_32 = 2 ** 32
const CHANGED_HIGH_BITS = 21
const CHANGED_HIGH_MASK = (1 << CHANGED_HIGH_BITS) - 1

const HASH = 0
const NEXT = 1
const ADDRESS = 2
const KEY_LENGTH = 3
const VALUE_LENGTH = 4
const VERSION = 5
const CHANGED = 6
const HIGH = 7

/** A key and a value one behind the other, as they stand in a command, a snapshot or a block. */
export interface Pair {
  /** The key, then the value, and nothing else. */
  readonly bytes: Uint8Array
  readonly keyLength: number
}

export class Records {
  readonly #words = new PagedWords()
  readonly #slab = new Slab((record, address) => this.#words.set((record << 3) + ADDRESS, address))
  /** Numbers handed out so far, those given back included. */
  #numbers = 0
  /** The first record number of those given back, plus one. */
  #free = 0
  #count = 0

  /** How many there are. */
  get count(): number {
    return this.#count
  }

  /** Bytes held. */
  get bytes(): number {
    return this.#words.bytes + this.#slab.bytes
  }

  /** A record without a block, all numbers 0. */
  add(): RecordNumber {
    this.#count++
    if (this.#free > 0) {
      const record = this.#free - 1
      this.#free = this.next(record)
      const page = this.#words.page(record << 3)
      const at = (record << 3) & PAGE_MASK
      page.fill(0, at, at + 8)
      return record
    }
    this.#words.reserve((this.#numbers + 1) << 3)
    return this.#numbers++
  }

  /** Gives back the record and its block. */
  remove(record: RecordNumber): void {
    this.#slab.free(this.#get(record, ADDRESS), this.#class(record))
    this.setNext(record, this.#free)
    this.#free = record + 1
    this.#count--
  }

  /** Moves all of `record`, its block too, to a number of its own: `record` is then without a block, and keeps its hash chain. */
  split(record: RecordNumber): RecordNumber {
    const copy = this.add()
    this.#words.move(record << 3, copy << 3, 8)
    this.#slab.assign(this.#get(copy, ADDRESS), copy)
    return copy
  }

  hash(record: RecordNumber): number {
    return this.#get(record, HASH)
  }

  setHash(record: RecordNumber, hash: number): void {
    this.#words.set((record << 3) + HASH, hash)
  }

  /** The next record of a chain, plus one; 0 at its end. */
  next(record: RecordNumber): number {
    return this.#get(record, NEXT)
  }

  setNext(record: RecordNumber, nextPlusOne: number): void {
    this.#words.set((record << 3) + NEXT, nextPlusOne)
  }

  keyLength(record: RecordNumber): number {
    return this.#get(record, KEY_LENGTH)
  }

  valueLength(record: RecordNumber): number {
    return this.#get(record, VALUE_LENGTH)
  }

  /** Changes of this key since it came into being, from 1. */
  version(record: RecordNumber): number {
    return (this.#get(record, HIGH) >>> CHANGED_HIGH_BITS) * TWO_32 + this.#get(record, VERSION)
  }

  /** The store's revision at the last of them. */
  changed(record: RecordNumber): number {
    return (this.#get(record, HIGH) & CHANGED_HIGH_MASK) * TWO_32 + this.#get(record, CHANGED)
  }

  /** @param version below 2^43 @param changed below 2^53 */
  stamp(record: RecordNumber, version: number, changed: number): void {
    const page = this.#words.page(record << 3)
    const at = (record << 3) & PAGE_MASK
    page[at + VERSION] = version
    page[at + CHANGED] = changed
    page[at + HIGH] =
      version < TWO_32 && changed < TWO_32
        ? 0
        : (Math.floor(version / TWO_32) << CHANGED_HIGH_BITS) | Math.floor(changed / TWO_32)
  }

  /** The array that holds key and value, one behind the other, from {@link keyAt} on. Good until the next change of any record. */
  array(record: RecordNumber): Uint8Array {
    return this.#slab.array(this.#get(record, ADDRESS))
  }

  keyAt(record: RecordNumber): number {
    return this.#slab.offset(this.#get(record, ADDRESS)) + BLOCK_HEADER_BYTES
  }

  /** Compares the `length` bytes from `at` on with the record's key, byte by byte. @returns below 0 when they come first, 0 when they are it */
  compareKey(record: RecordNumber, bytes: Uint8Array, at: number, length: number): number {
    // All that an index spends its time on: every number is read once.
    const page = this.#words.page(record << 3)
    const word = (record << 3) & PAGE_MASK
    const address = page[word + ADDRESS] as number
    const keyLength = page[word + KEY_LENGTH] as number
    const array = this.#slab.array(address)
    const start = this.#slab.offset(address) + BLOCK_HEADER_BYTES
    const common = length < keyLength ? length : keyLength
    for (let i = 0; i < common; i++) {
      const difference = (bytes[at + i] as number) - (array[start + i] as number)
      if (difference !== 0) return difference
    }
    return length - keyLength
  }

  /** What stands in `bytes` from `start` on is about to be taken over, see {@link Slab.adopt}. */
  adopt(bytes: Uint8Array, start: number): void {
    this.#slab.adopt(bytes, start)
  }

  /** Gives a record without a block the one that stands in what is being taken over. */
  fillAdopted(record: RecordNumber, { block, end, keyLength, valueLength }: StoredReader): void {
    this.#describe(record, this.#slab.adoptBlock(block, end - block, record), keyLength, valueLength)
  }

  /** All was taken over. */
  adopted(): void {
    this.#slab.adopted()
  }

  /** Gives a record without a block its key and value. */
  fill(record: RecordNumber, pair: Pair): void {
    this.#put(record, this.#slab.allocate(BLOCK_HEADER_BYTES + pair.bytes.length, record), pair)
  }

  /** Puts another value in place of the one there; `pair` has the same key. */
  replace(record: RecordNumber, pair: Pair): void {
    const before = this.#get(record, ADDRESS)
    const sizeClass = this.#class(record)
    if (classOf(BLOCK_HEADER_BYTES + pair.bytes.length) === sizeClass) {
      this.#put(record, before, pair)
      return
    }
    this.fill(record, pair)
    this.#slab.free(before, sizeClass)
  }

  /** Adds to the end of the value. */
  extend(record: RecordNumber, addition: Uint8Array): void {
    const keyLength = this.keyLength(record)
    const valueLength = this.valueLength(record)
    const used = keyLength + valueLength
    const sizeClass = this.#class(record)
    if (classOf(BLOCK_HEADER_BYTES + used + addition.length) === sizeClass) {
      this.array(record).set(addition, this.keyAt(record) + used)
      this.#words.set((record << 3) + VALUE_LENGTH, valueLength + addition.length)
      return
    }
    const before = this.#get(record, ADDRESS)
    this.fillExtended(record, record, addition)
    this.#slab.free(before, sizeClass)
  }

  /** Gives `record` a new block with key and value of `source` and `addition` behind them. */
  fillExtended(record: RecordNumber, source: RecordNumber, addition: Uint8Array): void {
    const keyLength = this.keyLength(source)
    const valueLength = this.valueLength(source)
    const used = keyLength + valueLength
    const old = this.array(source)
    const oldAt = this.keyAt(source)
    const address = this.#slab.allocate(BLOCK_HEADER_BYTES + used + addition.length, record)
    const array = this.#slab.array(address)
    const at = this.#slab.offset(address) + BLOCK_HEADER_BYTES
    array.set(old.subarray(oldAt, oldAt + used), at)
    array.set(addition, at + used)
    this.#describe(record, address, keyLength, valueLength + addition.length)
  }

  #put(record: RecordNumber, address: number, { bytes, keyLength }: Pair): void {
    this.#slab.array(address).set(bytes, this.#slab.offset(address) + BLOCK_HEADER_BYTES)
    this.#describe(record, address, keyLength, bytes.length - keyLength)
  }

  #describe(record: RecordNumber, address: number, keyLength: number, valueLength: number): void {
    const page = this.#words.page(record << 3)
    const at = (record << 3) & PAGE_MASK
    page[at + ADDRESS] = address
    page[at + KEY_LENGTH] = keyLength
    page[at + VALUE_LENGTH] = valueLength
  }

  /** The size class of its block. Every change keeps it the one of what it holds. */
  #class(record: RecordNumber): number {
    return classOf(BLOCK_HEADER_BYTES + this.keyLength(record) + this.valueLength(record))
  }

  #get(record: RecordNumber, word: number): number {
    return this.#words.get((record << 3) + word)
  }
}

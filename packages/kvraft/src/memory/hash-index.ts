/**
 * Finds the record of a key. Linear hashing (Litwin, 1980): one bucket more with each key, whose records come out of one other
 * bucket, so that no insertion ever moves more than one chain. The chains run through the records themselves.
 */
import { PagedWords } from './paged.ts'
import { NO_RECORD, type RecordNumber, type Records } from './records.ts'

const BUCKETS_MIN = 16
/** Made at once at most, whatever is said to come. */
const EXPECTED_MAX = 1 << 22

export class HashIndex {
  readonly #records: Records
  /** Each the first record of its chain, plus one; 0 when empty. */
  readonly #buckets = new PagedWords()
  #bucketCount = BUCKETS_MIN
  /** The largest power of two ≤ bucketCount. */
  #level = BUCKETS_MIN
  #count = 0

  constructor(records: Records) {
    this.#records = records
    this.#buckets.reserve(BUCKETS_MIN)
  }

  /**
   * So many records will come: while it is empty, it makes their buckets, which saves splitting each of them on the way. And half
   * as many again, for those that the log behind a snapshot adds: four bytes each are nothing beside a record.
   */
  expect(count: number): void {
    const buckets = Math.min(Math.ceil(1.5 * count), EXPECTED_MAX)
    if (this.#count > 0 || buckets <= this.#bucketCount) return
    this.#bucketCount = buckets
    this.#level = 1 << (31 - Math.clz32(this.#bucketCount))
    this.#buckets.reserve(this.#bucketCount)
  }

  /** How many records it holds. */
  get count(): number {
    return this.#count
  }

  /** Bytes held. */
  get bytes(): number {
    return this.#buckets.bytes
  }

  /** @param hash of the key, by {@link hashOf} @param length of the key, which `bytes` begin with @returns {@link NO_RECORD} when there is no such key */
  find(hash: number, bytes: Uint8Array, length: number): RecordNumber {
    const records = this.#records
    for (let link = this.#buckets.get(this.#bucketOf(hash)); link > 0; link = records.next(link - 1)) {
      const record = link - 1
      if (records.hash(record) === hash && records.compareKey(record, bytes, 0, length) === 0) return record
    }
    return NO_RECORD
  }

  /** Adds a record that is not there, with its hash set. */
  add(record: RecordNumber): void {
    const bucket = this.#bucketOf(this.#records.hash(record))
    this.#records.setNext(record, this.#buckets.get(bucket))
    this.#buckets.set(bucket, record + 1)
    if (++this.#count > this.#bucketCount) this.#grow()
  }

  /** Takes out a record that is there. */
  remove(record: RecordNumber): void {
    const records = this.#records
    const bucket = this.#bucketOf(records.hash(record))
    const first = this.#buckets.get(bucket) - 1
    this.#count--
    if (first === record) {
      this.#buckets.set(bucket, records.next(record))
      return
    }
    let before = first
    while (records.next(before) !== record + 1) before = records.next(before) - 1
    records.setNext(before, records.next(record))
  }

  #bucketOf(hash: number): number {
    const bucket = (hash & (2 * this.#level - 1)) >>> 0
    return bucket < this.#bucketCount ? bucket : (hash & (this.#level - 1)) >>> 0
  }

  /** Adds a bucket and moves to it, out of the one it splits, what belongs there. */
  #grow(): void {
    const records = this.#records
    const added = this.#bucketCount
    const split = added - this.#level
    const mask = 2 * this.#level - 1
    this.#buckets.reserve(added + 1)
    let stay = 0
    let go = 0
    for (let link = this.#buckets.get(split); link > 0;) {
      const record = link - 1
      link = records.next(record)
      if ((records.hash(record) & mask) === added) {
        records.setNext(record, go)
        go = record + 1
      } else {
        records.setNext(record, stay)
        stay = record + 1
      }
    }
    this.#buckets.set(split, stay)
    this.#buckets.set(added, go)
    this.#bucketCount++
    if (this.#bucketCount === 2 * this.#level) this.#level *= 2
  }
}

/** FNV-1a over `length` bytes from `at` on, then mixed (as MurmurHash3 ends): the low bits alone choose the bucket. @returns 31 bits */
export function hashOf(bytes: Uint8Array, at: number, length: number, seed: number): number {
  let hash = 0x811c9dc5 ^ seed
  for (const end = at + length; at < end; at++) hash = Math.imul(hash ^ (bytes[at] as number), 0x01000193)
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35)
  return (hash ^ (hash >>> 16)) & 0x7fffffff
}

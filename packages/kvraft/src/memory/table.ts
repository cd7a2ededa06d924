/**
 * Keys and values with their versions: found by key (a hash index), walked in the order of keys (a B+-tree that only changes
 * when a key appears or disappears), and frozen for a snapshot (see view.ts). Nothing here is an object or an array per key, and
 * nothing ever takes longer than a change or two: no table is copied to grow.
 */
import { assert } from '@lab/rpc'
import { HashIndex, hashOf } from './hash-index.ts'
import { KeyOrder } from './key-order.ts'
import { OrderedIndex, type Position } from './ordered-index.ts'
import { SparseDoubles } from './paged.ts'
import { NO_RECORD, Records, type Pair, type RecordNumber } from './records.ts'
import type { StoredReader } from './stored-record.ts'
import { View } from './view.ts'

/** Of what a finished view leaves behind, so many records are given back with each change. */
const SWEEP_PER_CHANGE = 8

export class Table {
  readonly records = new Records()
  readonly #seed: number
  readonly #byKey: HashIndex
  readonly #order: KeyOrder
  readonly #inOrder: OrderedIndex
  readonly #deadlines = new SparseDoubles()
  /** The state of some moment, being drawn. */
  #view: View | null = null
  /** What views left that were given up. */
  readonly #swept: View[] = []
  /** Of keys and values, without anything around them. */
  #dataBytes = 0
  /** Records that were loaded: the first numbers. Those below {@link #linked} are found by key. */
  #loaded = 0
  #linked = 0
  /** Those that are being loaded keep their bytes. */
  #adopts = false

  /** @param seed of the hash: keys chosen to collide under one do not under another. Nothing else depends on it */
  constructor(seed = 0) {
    this.#seed = seed
    this.#byKey = new HashIndex(this.records)
    this.#order = new KeyOrder(this.records)
    this.#inOrder = new OrderedIndex(this.#order)
  }

  /** How many keys there are. */
  get count(): number {
    return this.#byKey.count
  }

  /** Of keys and values together. */
  get dataBytes(): number {
    return this.#dataBytes
  }

  /** Bytes held, whatever for. */
  get bytes(): number {
    return this.records.bytes + this.#byKey.bytes + this.#inOrder.bytes
  }

  /** @param length of the key, which `bytes` begin with @returns {@link NO_RECORD} when there is no such key */
  find(bytes: Uint8Array, length: number): RecordNumber {
    return this.#byKey.find(hashOf(bytes, 0, length, this.#seed), bytes, length)
  }

  /** Sets key and value. The record has no deadline then. @returns the record */
  put(pair: Pair, revision: number): RecordNumber {
    this.#sweep()
    const hash = this.#hash(pair)
    const record = this.#byKey.find(hash, pair.bytes, pair.keyLength)
    if (record === NO_RECORD) return this.#add(pair, hash, revision)
    const version = this.records.version(record) + 1
    this.#dataBytes += pair.bytes.length - pair.keyLength - this.records.valueLength(record)
    if (this.#freeze(record) !== null) this.records.fill(record, pair)
    else this.records.replace(record, pair)
    this.records.stamp(record, version, revision)
    return record
  }

  /** Adds to the end of the value. The deadline stays. @returns the record */
  append(pair: Pair, revision: number): RecordNumber {
    this.#sweep()
    const hash = this.#hash(pair)
    const record = this.#byKey.find(hash, pair.bytes, pair.keyLength)
    if (record === NO_RECORD) return this.#add(pair, hash, revision)
    const version = this.records.version(record) + 1
    const addition = pair.bytes.subarray(pair.keyLength)
    this.#dataBytes += addition.length
    const frozen = this.#freeze(record)
    if (frozen === null) this.records.extend(record, addition)
    else this.records.fillExtended(record, frozen, addition)
    this.records.stamp(record, version, revision)
    return record
  }

  remove(record: RecordNumber): void {
    this.#sweep()
    this.#dataBytes -= this.records.keyLength(record) + this.records.valueLength(record)
    this.#byKey.remove(record)
    this.#seekKeyOf(record)
    this.#inOrder.remove(record)
    if (this.#view?.needs(record) === true) this.#view.keep(record)
    else this.#forget(record)
  }

  /** So many records are about to be loaded. */
  expect(count: number): void {
    this.#byKey.expect(count)
  }

  /** The records that stand in `bytes` from `start` on are about to be loaded, and the table may keep the bytes themselves. */
  adopt(bytes: Uint8Array, start: number): void {
    this.records.adopt(bytes, start)
    this.#adopts = true
  }

  /** All were loaded. */
  adopted(): void {
    this.records.adopted()
    this.#adopts = false
  }

  /** A record out of a snapshot, with a key that comes after all others. It is not found by key before {@link link}. */
  loadLast(stored: StoredReader): RecordNumber {
    const { records } = this
    const { bytes, keyAt, keyLength, valueLength } = stored
    const record = records.add()
    assert(record === this.#loaded++, 'a table is loaded before anything else is done with it')
    const length = keyLength + valueLength
    if (this.#adopts) records.fillAdopted(record, stored)
    else records.fill(record, { bytes: bytes.subarray(keyAt, keyAt + length), keyLength })
    records.stamp(record, stored.version, stored.changed)
    records.setHash(record, hashOf(bytes, keyAt, keyLength, this.#seed))
    this.#dataBytes += length
    this.#inOrder.addLast(record)
    return record
  }

  /**
   * Has all records loaded so far be found by key. Each of them waits for the memory of a bucket that no cache holds: many in a row,
   * with nothing between them, wait together.
   */
  link(): void {
    for (; this.#linked < this.#loaded; this.#linked++) this.#byKey.add(this.#linked)
  }

  /** When the record is to expire, in log time; 0 for never. */
  deadline(record: RecordNumber): number {
    return this.#deadlines.get(record)
  }

  setDeadline(record: RecordNumber, deadline: number): void {
    this.#deadlines.set(record, deadline)
  }

  /** The first place whose key does not come before this one. */
  seek(key: Uint8Array): Position {
    this.#order.seek(key, 0, key.length)
    return this.#inOrder.seek()
  }

  /** @returns {@link NO_RECORD} behind the last key */
  at(position: Position): RecordNumber {
    return this.#inOrder.at(position)
  }

  after(position: Position): Position {
    return this.#inOrder.after(position)
  }

  /** Does the record's key come before the one of `length` bytes from `at` on? */
  isBefore(record: RecordNumber, bytes: Uint8Array, at = 0, length = bytes.length): boolean {
    return this.records.compareKey(record, bytes, at, length) > 0
  }

  /** A copy of a value. */
  value(record: RecordNumber): Uint8Array {
    const start = this.records.keyAt(record) + this.records.keyLength(record)
    return this.records.array(record).slice(start, start + this.records.valueLength(record))
  }

  /** A copy of a key. */
  key(record: RecordNumber): Uint8Array {
    const start = this.records.keyAt(record)
    return this.records.array(record).slice(start, start + this.records.keyLength(record))
  }

  /**
   * Freezes what is there now, as of `revision`, for one reader at a time: whoever reads an older view is told to give up.
   *
   * @param last while records are being loaded, in the order of keys: the last one so far
   */
  freeze(revision: number, last: Uint8Array | null = null): View {
    this.#view?.end()
    const view = new View({
      ...{ table: this, revision, last },
      order: this.#order,
      onEnd: () => {
        if (this.#view === view) this.#view = null
        if (view.kept > 0) this.#swept.push(view)
      },
      forget: (record) => {
        this.#forget(record)
      },
    })
    this.#view = view
    return view
  }

  /** A key's first record. */
  #add(pair: Pair, hash: number, revision: number): RecordNumber {
    const { records } = this
    const record = records.add()
    records.fill(record, pair)
    records.stamp(record, 1, revision)
    records.setHash(record, hash)
    this.#dataBytes += pair.bytes.length
    this.#byKey.add(record)
    this.#order.seek(pair.bytes, 0, pair.keyLength)
    this.#inOrder.add(record)
    return record
  }

  #hash({ bytes, keyLength }: Pair): number {
    return hashOf(bytes, 0, keyLength, this.#seed)
  }

  /** Leaves what the record is to the view that still needs it. @returns the number it has there, or null when none does */
  #freeze(record: RecordNumber): RecordNumber | null {
    const view = this.#view
    if (!view?.needs(record)) return null
    const kept = this.records.split(record)
    const deadline = this.#deadlines.get(record)
    if (deadline > 0) this.#deadlines.set(kept, deadline)
    view.keep(kept)
    return kept
  }

  #forget(record: RecordNumber): void {
    if (this.#deadlines.get(record) > 0) this.#deadlines.set(record, 0)
    this.records.remove(record)
  }

  #sweep(): void {
    const view = this.#swept.at(-1)
    if (view?.sweep(SWEEP_PER_CHANGE) === true) this.#swept.pop()
  }

  #seekKeyOf(record: RecordNumber): void {
    this.#order.seek(this.records.array(record), this.records.keyAt(record), this.records.keyLength(record))
  }
}

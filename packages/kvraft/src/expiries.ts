/**
 * The keys that are to expire, the earliest first; of one time, in the order of keys. The order decides which revision each
 * expiry gets, so it must be the same on every replica: record numbers differ, keys do not.
 */
import { KeyOrder } from './memory/key-order.ts'
import { OrderedIndex, type Order } from './memory/ordered-index.ts'
import { NO_RECORD, type RecordNumber } from './memory/records.ts'
import type { Table } from './memory/table.ts'

export class Expiries {
  readonly #table: Table
  readonly #order: DeadlineOrder
  readonly #index: OrderedIndex

  constructor(table: Table) {
    this.#table = table
    this.#order = new DeadlineOrder(table)
    this.#index = new OrderedIndex(this.#order)
  }

  /** How many keys are to expire. */
  get count(): number {
    return this.#index.count
  }

  /** The record that expires next; {@link NO_RECORD} when none does. */
  first(): RecordNumber {
    return this.#index.at(0)
  }

  /** Log time at which the next key expires; Infinity when none does. */
  get next(): number {
    const record = this.first()
    return record === NO_RECORD ? Infinity : this.#table.deadline(record)
  }

  /** Adds a record that has no deadline so far. */
  add(record: RecordNumber, deadline: number): void {
    this.#table.setDeadline(record, deadline)
    this.#order.seek(record)
    this.#index.add(record)
  }

  /** Takes out a record that is there. Its deadline stays written in the table. */
  remove(record: RecordNumber): void {
    this.#order.seek(record)
    this.#index.remove(record)
  }
}

class DeadlineOrder implements Order {
  readonly #table: Table
  readonly #keys: KeyOrder
  #deadline = 0

  constructor(table: Table) {
    this.#table = table
    this.#keys = new KeyOrder(table.records)
  }

  /** Seeks this very record. */
  seek(record: RecordNumber): void {
    const { records } = this.#table
    this.#deadline = this.#table.deadline(record)
    this.#keys.seek(records.array(record), records.keyAt(record), records.keyLength(record))
  }

  compare(record: RecordNumber): number {
    const difference = this.#deadline - this.#table.deadline(record)
    return difference === 0 ? this.#keys.compare(record) : difference
  }
}

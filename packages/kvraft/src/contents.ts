/** What a store holds, and the three ways to change it. Each change has the next revision and is told to the history. */
import { EventKind } from './events.ts'
import { Expiries } from './expiries.ts'
import { History } from './history.ts'
import type { Pair, RecordNumber } from './memory/records.ts'
import { Table } from './memory/table.ts'
import type { Entry } from './queries.ts'

export interface ContentsOptions {
  /** Changes applied so far. */
  readonly revision: number
  /** Log time so far. */
  readonly time: number
  readonly historyBytes: number
  readonly hashSeed: number
}

export class Contents {
  readonly table: Table
  readonly expiries: Expiries
  readonly history: History
  /** Log time of the last command, milliseconds since 1970; never decreases. */
  time: number
  #revision: number

  constructor({ revision, time, historyBytes, hashSeed }: ContentsOptions) {
    this.table = new Table(hashSeed)
    this.expiries = new Expiries(this.table)
    this.history = new History(historyBytes, revision)
    this.time = time
    this.#revision = revision
  }

  /** Changes applied so far, of all keys; never decreases. */
  get revision(): number {
    return this.#revision
  }

  /** @param ttl in milliseconds; 0: the key is to stay @returns the key's version */
  put(pair: Pair, ttl: number): number {
    const revision = ++this.#revision
    const { table } = this
    const record = table.put(pair, revision)
    if (table.deadline(record) > 0) {
      this.expiries.remove(record)
      table.setDeadline(record, 0)
    }
    if (ttl > 0) this.expiries.add(record, this.time + ttl)
    return this.#changed(EventKind.put, record, pair)
  }

  /** A key that is to expire still is. @returns the key's version */
  append(pair: Pair): number {
    const record = this.table.append(pair, ++this.#revision)
    return this.#changed(EventKind.append, record, pair)
  }

  /** @param kind why it goes */
  remove(record: RecordNumber, kind: typeof EventKind.delete | typeof EventKind.expire): void {
    const { table, expiries, history } = this
    const key = table.key(record)
    history.add(kind, ++this.#revision, 0, { bytes: key, keyLength: key.length })
    if (table.deadline(record) > 0) expiries.remove(record)
    table.remove(record)
  }

  /** The entry of a record, its value copied. */
  entry(record: RecordNumber): Entry {
    const { table } = this
    const expires = table.deadline(record)
    return {
      value: table.value(record),
      version: table.records.version(record),
      changed: table.records.changed(record),
      ...(expires === 0 ? {} : { expires }),
    }
  }

  #changed(kind: EventKind, record: RecordNumber, pair: Pair): number {
    const version = this.table.records.version(record)
    this.history.add(kind, this.#revision, version, pair)
    return version
  }
}

/**
 * The store itself: a deterministic state machine over keys and values of bytes. No clock, no chance, no I/O; who
 * replicates it, and how often a request arrives, is not its business.
 */
import type { StateMachine } from '@lab/raft'
import type { Command } from './commands.ts'
import { VALUE_BYTES_MAX } from './limits.ts'
import type { Answer, Entry, Query } from './queries.ts'
import { keyText, type StoreRecord } from './record.ts'
import type { Result } from './results.ts'
import { readSnapshot, writeSnapshot } from './snapshot.ts'

export class KvStore implements StateMachine<Command, Result, Query, Answer> {
  /** By key, see {@link keyText}. Replaced as a whole by `restore`. */
  #records = new Map<string, StoreRecord>()
  /** Changes applied so far, of all keys; never decreases. */
  #revision = 0

  /** Changes applied so far, of all keys. */
  get revision(): number {
    return this.#revision
  }

  /** How many keys there are. */
  get size(): number {
    return this.#records.size
  }

  /** @returns null when there is no such key */
  get(key: Uint8Array): Entry | null {
    const record = this.#records.get(keyText(key))
    if (record === undefined) return null
    return {
      value: record.buffer.subarray(0, record.length),
      version: record.version,
      changed: record.changed,
    }
  }

  apply(command: Command): Result {
    switch (command.op) {
      case 'put':
        return this.#put(command.key, command.value)
      case 'append':
        return this.#append(command.key, command.value)
      case 'delete':
        return this.#delete(command.key)
    }
  }

  query({ key }: Query): Answer {
    return { revision: this.#revision, entry: this.get(key) }
  }

  /** Every key of this moment; applying goes on while the chunks are drawn. */
  snapshot(): Iterable<Uint8Array> {
    return writeSnapshot(this.#revision, [...this.#records])
  }

  /** @throws {ProtocolError} on chunks that are no snapshot of ours; the store is then as it was */
  async restore(chunks: AsyncIterable<Uint8Array>): Promise<void> {
    const { revision, records } = await readSnapshot(chunks)
    this.#revision = revision
    this.#records = records
  }

  #put(key: Uint8Array, value: Uint8Array): Result {
    const name = keyText(key)
    // A copy: the command is a view on a batch of the log, which one small value would keep alive.
    return this.#write(name, this.#records.get(name), value.slice(), value.length)
  }

  #append(key: Uint8Array, value: Uint8Array): Result {
    const name = keyText(key)
    const record = this.#records.get(name)
    if (record === undefined) return this.#write(name, undefined, value.slice(), value.length)
    const length = record.length + value.length
    if (length > VALUE_BYTES_MAX) return { status: 'too-large', revision: this.#revision, valueBytes: length }
    const buffer = withRoomFor(record, length)
    // Bytes after `record.length` belong to nobody: whoever holds an older record does not see them.
    buffer.set(value, record.length)
    return this.#write(name, record, buffer, length)
  }

  #delete(key: Uint8Array): Result {
    if (!this.#records.delete(keyText(key))) return { status: 'not-found', revision: this.#revision }
    this.#revision++
    return { status: 'written', revision: this.#revision, version: 0 }
  }

  #write(name: string, before: StoreRecord | undefined, buffer: Uint8Array, length: number): Result {
    this.#revision++
    const version = (before?.version ?? 0) + 1
    this.#records.set(name, { buffer, length, version, changed: this.#revision })
    return { status: 'written', revision: this.#revision, version }
  }
}

/** The record's buffer, or a copy of at least twice its size: many appends to one key cost time in proportion to their bytes. */
function withRoomFor(record: StoreRecord, length: number): Uint8Array {
  if (length <= record.buffer.length) return record.buffer
  const grown = new Uint8Array(Math.max(length, Math.min(record.length * 2, VALUE_BYTES_MAX)))
  grown.set(record.buffer.subarray(0, record.length))
  return grown
}

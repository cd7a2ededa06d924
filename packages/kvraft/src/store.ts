/**
 * The store itself: a deterministic state machine over keys and values of bytes. No clock, no chance, no I/O; who replicates
 * it, and how often a request arrives, is not its business. It takes commands and gives results as bytes (`commandCodec` and
 * `resultCodec` tell what they say), so that a put makes no object: it goes from the log into the store's own memory.
 */
import type { ApplyContext, StateMachine } from '@lab/raft'
import { ByteWriter, ProtocolError } from '@lab/rpc'
import { CasBy, CommandKind, commandCodec } from './commands.ts'
import { Contents } from './contents.ts'
import { EventKind } from './events.ts'
import { EXPIRED_PER_COMMAND, HISTORY_BYTES, VALUE_BYTES_MAX } from './limits.ts'
import type { Loader } from './loader.ts'
import { lastingMemoryDropped } from './memory/lasting.ts'
import { NO_RECORD, type RecordNumber } from './memory/records.ts'
import { readPage, type PageCursor, type StorePage } from './pages.ts'
import { PairReader } from './pair-reader.ts'
import { answerCodec, queryCodec, type Entry, type Page, type Scan } from './queries.ts'
import { answerGet, answerScan } from './read.ts'
import { ResultKind, resultCodec } from './results.ts'
import { readSnapshot } from './snapshot-reader.ts'
import { writeSnapshot } from './snapshot-writer.ts'
import { runTxn } from './txn-run.ts'

export interface KvStoreOptions {
  /** Of changes remembered for watches. The same on all replicas of a store. Default 16 MiB. */
  readonly historyBytes?: number
  /** Makes it hard to choose keys that collide in this process. It changes nothing that can be seen. Default 0. */
  readonly hashSeed?: number
}

export class KvStore implements StateMachine<Uint8Array, Uint8Array, Uint8Array, Uint8Array> {
  /** Replaced as a whole by `restore`. */
  #contents: Contents
  readonly #hashSeed: number
  readonly #reader = new PairReader()
  #onChange: (() => void) | null = null
  readonly #result = new ByteWriter(64)

  /** A store that came in pages. @throws {ProtocolError} when not all of them have come */
  static loaded(loader: Loader, { hashSeed = 0 }: Pick<KvStoreOptions, 'hashSeed'> = {}): KvStore {
    const store = new KvStore({ hashSeed })
    store.#contents = loader.finish()
    return store
  }

  constructor({ historyBytes = HISTORY_BYTES, hashSeed = 0 }: KvStoreOptions = {}) {
    this.#hashSeed = hashSeed
    this.#contents = new Contents({ revision: 0, time: 0, historyBytes, hashSeed })
  }

  /** Has `onChange` called whenever something has changed, in the midst of applying: take note, and do the work elsewhere. */
  listen(onChange: () => void): void {
    this.#onChange = onChange
  }

  /** Changes applied so far, of all keys. */
  get revision(): number {
    return this.#contents.revision
  }

  /** How many keys there are. */
  get size(): number {
    return this.#contents.table.count
  }

  /** Bytes of memory held for keys and values and for what finds them; the history besides. */
  get bytes(): number {
    return this.#contents.table.bytes
  }

  /** Of keys and values alone. */
  get dataBytes(): number {
    return this.#contents.table.dataBytes
  }

  /** Log time at which the next key is to expire; Infinity when none is. */
  get nextExpiry(): number {
    return this.#contents.expiries.next
  }

  /** The oldest change remembered: a watch can begin there, or later. One past {@link revision} when none is. */
  get firstRevision(): number {
    return this.#contents.history.first
  }

  /** @returns null when there is no such key */
  get(key: Uint8Array): Entry | null {
    const record = this.#contents.table.find(key, key.length)
    return record === NO_RECORD ? null : this.#contents.entry(record)
  }

  scan(range: Scan): Page {
    return answerCodec.decode(answerScan(this.#contents, range)) as Page
  }

  /**
   * Hands out the changes from revision `from` on, which must be remembered, until `take` returns false: events.ts tells what their
   * bytes say. They are good within the call.
   */
  changes(from: number, take: (bytes: Uint8Array, start: number, end: number) => boolean): void {
    this.#contents.history.read(from, take)
  }

  /**
   * @returns bytes that are good until the next call
   * @throws {ProtocolError} on bytes that are no command; nothing is changed then
   */
  apply(command: Uint8Array, { time }: Pick<ApplyContext, 'time'>): Uint8Array {
    const contents = this.#contents
    contents.time = Math.max(contents.time, time)
    const before = contents.revision
    const result = this.#apply(command)
    if (contents.revision !== before) this.#onChange?.()
    return result
  }

  query(query: Uint8Array): Uint8Array {
    const asked = queryCodec.decode(query)
    return asked.op === 'get' ? answerGet(this.#contents, asked.key) : answerScan(this.#contents, asked)
  }

  /**
   * Everything, as of this moment; applying goes on while the chunks are drawn. Until then, or until another one is begun. Each chunk is
   * good until the next is drawn.
   */
  snapshot(): Iterable<Uint8Array> {
    return writeSnapshot(this.#contents)
  }

  /**
   * Takes over what a snapshot says. The store is made of the chunks' very bytes: nobody else may use them from then on.
   *
   * @param now when given, keys keep the time they had left, counted from this log time: for a store that moves to another log
   * @throws {ProtocolError} on chunks that are no snapshot of ours; the store is then as it was
   */
  async restore(chunks: AsyncIterable<Uint8Array>, now?: number): Promise<void> {
    const contents = await readSnapshot(chunks, { hashSeed: this.#hashSeed, now })
    const { bytes } = this
    this.#contents = contents
    lastingMemoryDropped(bytes)
    this.#onChange?.()
  }

  /** Log time goes on though nothing is applied: deadlines are told from here on. */
  passTime(time: number): void {
    this.#contents.time = Math.max(this.#contents.time, time)
  }

  /**
   * A page of everything, from `cursor` on ({@link FIRST_PAGE} at first), while nothing is applied: see pages.ts and {@link Loader}.
   *
   * @param writer takes it: its bytes are good until it is used again
   * @throws {ProtocolError} on a cursor that is none
   */
  page(cursor: PageCursor, bytesMax: number, writer = new ByteWriter(bytesMax)): StorePage {
    return readPage(this.#contents, cursor, bytesMax, writer)
  }

  #apply(command: Uint8Array): Uint8Array {
    const contents = this.#contents
    const reader = this.#reader
    const kind = reader.begin(command)
    switch (kind) {
      case CommandKind.put:
        reader.pair()
        return this.#written(contents.put(reader, 0))
      case CommandKind.append:
        reader.pair()
        return this.#append()
      case CommandKind.delete:
        reader.key()
        return this.#delete()
      case CommandKind.putWithTtl: {
        const ttl = reader.ttl()
        if (ttl === 0) throw new ProtocolError('a put that expires at once')
        reader.pair()
        return this.#written(contents.put(reader, ttl))
      }
      case CommandKind.cas:
        return this.#compareAndSet()
      case CommandKind.expire:
        return this.#expire()
      case CommandKind.txn:
        return this.#txn(command)
      default:
        throw new ProtocolError(`a command of unknown kind ${String(kind)}`)
    }
  }

  #append(): Uint8Array {
    const contents = this.#contents
    const reader = this.#reader
    const record = this.#find()
    const addition = reader.bytes.length - reader.keyLength
    const before = record === NO_RECORD ? 0 : contents.table.records.valueLength(record)
    const length = before + addition
    if (length > VALUE_BYTES_MAX)
      return this.#begin(ResultKind.tooLarge).varint(contents.revision).varint(length).view()
    return this.#written(contents.append(reader))
  }

  #delete(): Uint8Array {
    const record = this.#find()
    if (record === NO_RECORD) return this.#begin(ResultKind.notFound).varint(this.revision).view()
    this.#contents.remove(record, EventKind.delete)
    return this.#written(0)
  }

  #compareAndSet(): Uint8Array {
    const { table, revision } = this.#contents
    const reader = this.#reader
    const by = reader.u8()
    if (by !== CasBy.version && by !== CasBy.changed)
      throw new ProtocolError(`a comparison with an unknown thing ${String(by)}`)
    const expected = reader.varint()
    const ttl = reader.ttl()
    reader.pair()
    const record = this.#find()
    const version = record === NO_RECORD ? 0 : table.records.version(record)
    const changed = record === NO_RECORD ? 0 : table.records.changed(record)
    if ((by === CasBy.version ? version : changed) !== expected)
      return this.#begin(ResultKind.conflict).varint(revision).varint(version).varint(changed).view()
    return this.#written(this.#contents.put(reader, ttl))
  }

  #expire(): Uint8Array {
    const { expiries, time } = this.#contents
    this.#reader.end()
    let count = 0
    for (; count < EXPIRED_PER_COMMAND && expiries.next <= time; count++)
      this.#contents.remove(expiries.first(), EventKind.expire)
    return this.#begin(ResultKind.expired).varint(this.revision).varint(count).view()
  }

  #txn(command: Uint8Array): Uint8Array {
    const txn = commandCodec.decode(command)
    if (txn.op !== 'txn') throw new ProtocolError('a command of two kinds')
    return resultCodec.encode(runTxn(this.#contents, txn))
  }

  /** The record of the key that was read. */
  #find(): RecordNumber {
    return this.#contents.table.find(this.#reader.bytes, this.#reader.keyLength)
  }

  #written(version: number): Uint8Array {
    return this.#begin(ResultKind.written).varint(this.#contents.revision).varint(version).view()
  }

  #begin(kind: number): ByteWriter {
    this.#result.reset()
    return this.#result.u8(kind)
  }
}

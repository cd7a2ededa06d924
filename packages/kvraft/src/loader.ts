/**
 * Builds the contents of a store out of a snapshot's bytes, in whatever pieces they come: all at once when a server starts, page
 * by page when a store moves to another log (see pages.ts). It can be put into a snapshot itself, half built.
 */
import { ByteReader, ByteWriter, ProtocolError } from '@lab/rpc'
import { Contents } from './contents.ts'
import { EVENT_HEAD_BYTES, checkEvent } from './events.ts'
import { Cursor } from './memory/cursor.ts'
import { NO_RECORD, type RecordNumber } from './memory/records.ts'
import { StoredReader } from './memory/stored-record.ts'
import { readU32 } from './memory/varint.ts'
import {
  EVENT_BYTES_MAX,
  HEADER_BYTES,
  readHeader,
  writeHeader,
  type SnapshotHeader,
} from './snapshot-format.ts'
import { writeItems } from './snapshot-writer.ts'

export interface LoaderOptions {
  readonly hashSeed: number
  /** When given, deadlines are moved as log time is: from the snapshot's to this one. */
  readonly now?: number | undefined
}

/** From so many bytes of records or events on, the store keeps them as they are: less is copied, lest a little holds much. */
const ADOPTED_BYTES_MIN = 64 * 1024

/** Hands chunks to `read`, which says how many bytes it has taken off the front; the rest comes again. @returns bytes left over */
export async function readItems(
  chunks: AsyncIterable<Uint8Array>,
  read: (bytes: Uint8Array) => number,
): Promise<number> {
  let rest: Uint8Array = new Uint8Array(0)
  for await (const chunk of chunks) {
    let from = 0
    // What was cut in two is put together; the rest of a large chunk is read where it stands.
    for (let more = JOINED_BYTES; rest.length > 0 && from < chunk.length; more *= 4) {
      const both = joined(rest, chunk.subarray(from, from + more))
      from = Math.min(from + more, chunk.length)
      const taken = read(both)
      if (taken < rest.length) rest = both.slice(taken)
      else {
        from -= both.length - taken
        rest = both.subarray(both.length)
      }
    }
    if (from < chunk.length) rest = chunk.slice(from + read(chunk.subarray(from)))
  }
  return rest.length
}

/** Most items that a chunk's end cuts in two are whole with so many bytes more. */
const JOINED_BYTES = 4096

export class Loader {
  readonly #options: LoaderOptions
  /** One for all records: a million of them must not make an object each. */
  readonly #stored = new StoredReader()
  readonly #cursor = new Cursor()
  #header: SnapshotHeader | null = null
  #contents: Contents | null = null
  #records = 0
  #events = 0
  /** Records that were loaded before, their deadlines moved: what a half built store was saved with. */
  #settled = 0
  /** The last record loaded. */
  #last: RecordNumber = NO_RECORD

  constructor(options: LoaderOptions) {
    this.#options = options
  }

  /** Keys and values loaded so far. */
  get dataBytes(): number {
    return this.#contents?.table.dataBytes ?? 0
  }

  /** Takes whole items off the front of `bytes`. @returns how many bytes they were @throws {ProtocolError} */
  read(bytes: Uint8Array): number {
    return this.#readEvents(bytes, this.#readRecords(bytes, this.#readHeader(bytes)), Infinity)
  }

  /** The same for bytes that nobody else will use: the store may be made of them. */
  adopt(bytes: Uint8Array): number {
    const at = this.#readHeader(bytes)
    const keeps = bytes.length - at >= ADOPTED_BYTES_MIN && !this.#allRecords
    const end = keeps ? this.#adoptRecords(bytes, at) : this.#readRecords(bytes, at)
    return this.#readEvents(bytes, end, ADOPTED_BYTES_MIN)
  }

  /** @throws {ProtocolError} when not all has come */
  finish(): Contents {
    if (this.#header === null || this.#contents === null)
      throw new ProtocolError('a snapshot without its header')
    const { records, events } = this.#header
    if (this.#records !== records || this.#events !== events)
      throw new ProtocolError(
        `a snapshot of ${String(records)} records and ${String(events)} events with ${String(this.#records)} and ${String(this.#events)}`,
      )
    return this.#contents
  }

  /** What is loaded so far, as of this moment; loading goes on while the chunks are drawn. {@link resume} reads it. */
  snapshot(): Iterable<Uint8Array> {
    if (this.#header === null || this.#contents === null) return []
    const head = new ByteWriter(HEADER_BYTES + 16)
    writeHeader(head, this.#header)
    head.u64(this.#records).u64(this.#events)
    // Without a record, nothing is drawn: no key is empty.
    const last = this.#last === NO_RECORD ? new Uint8Array(0) : this.#contents.table.key(this.#last)
    return writeItems(this.#contents, head.view(), last)
  }

  /** @param options as they were: deadlines go on being counted from the same moment @throws {ProtocolError} */
  static async resume(chunks: AsyncIterable<Uint8Array>, options: LoaderOptions): Promise<Loader> {
    const loader = new Loader(options)
    let expected = { records: 0, events: 0 }
    const rest = await readItems(chunks, (bytes) => {
      if (loader.#header !== null) return loader.adopt(bytes)
      const header = readHeader(bytes)
      if (header === null || bytes.length < HEADER_BYTES + 16) return 0
      const reader = new ByteReader(bytes, HEADER_BYTES)
      expected = { records: reader.u64(), events: reader.u64() }
      loader.#begin(header)
      loader.#settled = expected.records
      return reader.position + loader.adopt(bytes.subarray(reader.position))
    })
    if (rest > 0 || loader.#records !== expected.records || loader.#events !== expected.events)
      throw new ProtocolError('a half built store that was not saved as a whole')
    return loader
  }

  get #allRecords(): boolean {
    return this.#records === this.#header?.records
  }

  /** @returns where the items begin */
  #readHeader(bytes: Uint8Array): number {
    if (this.#header !== null) return 0
    const header = readHeader(bytes)
    if (header === null) return 0
    this.#begin(header)
    return HEADER_BYTES
  }

  #begin(header: SnapshotHeader): void {
    const { revision, time, historyBytes, events } = header
    const { hashSeed, now } = this.#options
    if (events > revision) throw new ProtocolError('a snapshot with more events than revisions')
    this.#header = header
    this.#contents = new Contents({ revision, hashSeed, time: now ?? time, historyBytes })
    this.#contents.table.expect(header.records)
  }

  #adoptRecords(bytes: Uint8Array, at: number): number {
    const { table } = this.#contents as Contents
    table.adopt(bytes, at)
    const end = this.#readRecords(bytes, at)
    table.adopted()
    return end
  }

  /** @returns where the first begins that is not whole, or the events do */
  #readRecords(bytes: Uint8Array, at: number): number {
    const contents = this.#contents
    if (contents === null) return at
    const stored = this.#stored
    for (; !this.#allRecords && stored.read(bytes, at); at = stored.end) this.#load(stored, contents)
    contents.table.link()
    return at
  }

  /** @param keptFrom so many bytes of events are kept as they are @returns where the first begins that is not whole */
  #readEvents(bytes: Uint8Array, start: number, keptFrom: number): number {
    if (!this.#allRecords) return start
    const { revision, events } = this.#header as SnapshotHeader
    const first = revision - events + this.#events + 1
    const before = this.#events
    const end = this.#checkEvents(bytes, start, first)
    const count = this.#events - before
    const all = bytes.subarray(start, end)
    if (all.length >= keptFrom) this.#contents?.history.adopt(all, first, count)
    else if (count > 0) this.#contents?.history.load(all, first, count)
    return end
  }

  /** @param next revision to come @returns where the first begins that is not whole */
  #checkEvents(bytes: Uint8Array, at: number, next: number): number {
    const { events } = this.#header as SnapshotHeader
    while (bytes.length - at >= EVENT_HEAD_BYTES) {
      const length = readU32(bytes, at)
      if (length > EVENT_BYTES_MAX)
        throw new ProtocolError(`an event of ${String(length)} bytes in a snapshot`)
      const end = at + EVENT_HEAD_BYTES + length
      if (end > bytes.length) break
      if (this.#events === events) throw new ProtocolError('a snapshot with something behind its end')
      this.#events++
      if (checkEvent(this.#cursor.begin(bytes, at + EVENT_HEAD_BYTES, end)) !== next++)
        throw new ProtocolError('a snapshot whose events have gaps between them')
      at = end
    }
    return at
  }

  #load(stored: StoredReader, { table, expiries }: Contents): void {
    const { version, changed, expires, bytes, keyAt, keyLength } = stored
    if (version === 0 || changed === 0 || changed > (this.#header as SnapshotHeader).revision)
      throw new ProtocolError('a record that was never changed, or later than its snapshot')
    if (this.#last !== NO_RECORD && !table.isBefore(this.#last, bytes, keyAt, keyLength))
      throw new ProtocolError('a key twice in a snapshot, or out of order')
    const record = table.loadLast(stored)
    this.#last = record
    this.#records++
    if (expires > 0) expiries.add(record, this.#deadline(expires))
  }

  #deadline(expires: number): number {
    const { now } = this.#options
    if (now === undefined || this.#records <= this.#settled) return expires
    const { time } = this.#header as SnapshotHeader
    return now + Math.max(expires - time, 0)
  }
}

function joined(a: Uint8Array, b: Uint8Array): Uint8Array {
  const both = new Uint8Array(a.length + b.length)
  both.set(a)
  both.set(b, a.length)
  return both
}

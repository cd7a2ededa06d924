/**
 * Builds the contents of a store out of a snapshot's bytes, in whatever pieces they come: all at once when a server starts, page
 * by page when a store moves to another log (see pages.ts). It can be put into a snapshot itself, half built.
 */
import { ByteReader, ByteWriter, ProtocolError } from '@lab/rpc'
import { Contents } from './contents.ts'
import { decodeEvent } from './events.ts'
import { checkKeyLength, checkValueLength } from './fields.ts'
import { Cursor } from './memory/cursor.ts'
import { NO_RECORD, type RecordNumber } from './memory/records.ts'
import { readU32 } from './memory/varint.ts'
import {
  HEADER_BYTES,
  ITEM_BYTES_MAX,
  readHeader,
  writeHeader,
  type SnapshotHeader,
} from './snapshot-format.ts'
import { writeItems } from './snapshot-writer.ts'

export interface LoaderOptions {
  readonly hashSeed: number
  /** For a snapshot that does not say. */
  readonly historyBytes: number
  /** When given, deadlines are moved as log time is: from the snapshot's to this one. */
  readonly now?: number | undefined
}

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
    let at = 0
    if (this.#contents === null) {
      const found = readHeader(bytes)
      if (found === null) return 0
      this.#begin(found.header)
      at = found.length
    }
    while (bytes.length - at >= 4) {
      const length = readU32(bytes, at)
      if (length > ITEM_BYTES_MAX) throw new ProtocolError(`an item of ${String(length)} bytes in a snapshot`)
      const end = at + 4 + length
      if (end > bytes.length) break
      this.#readItem(bytes, at, end)
      at = end
    }
    this.#contents?.table.link()
    return at
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
      if (loader.#header !== null) return loader.read(bytes)
      const found = readHeader(bytes)
      if (found === null || bytes.length < found.length + 16) return 0
      const reader = new ByteReader(bytes, found.length)
      expected = { records: reader.u64(), events: reader.u64() }
      loader.#begin(found.header)
      loader.#settled = expected.records
      return reader.position + loader.read(bytes.subarray(reader.position))
    })
    if (rest > 0 || loader.#records !== expected.records || loader.#events !== expected.events)
      throw new ProtocolError('a half built store that was not saved as a whole')
    return loader
  }

  #begin(header: SnapshotHeader): void {
    const { revision, time, historyBytes, events } = header
    const { hashSeed, now } = this.#options
    if (events > revision) throw new ProtocolError('a snapshot with more events than revisions')
    this.#header = header
    this.#contents = new Contents({
      ...{ revision, hashSeed, time: now ?? time },
      ...{ historyBytes: historyBytes ?? this.#options.historyBytes },
    })
    this.#contents.table.expect(header.records)
  }

  #readItem(bytes: Uint8Array, at: number, end: number): void {
    const { records, revision, events } = this.#header as SnapshotHeader
    const contents = this.#contents as Contents
    if (this.#records < records) {
      this.#readRecord(this.#cursor.begin(bytes, at + 4, end), contents)
      return
    }
    const reader = new ByteReader(bytes, at + 4, end)
    if (this.#events === events) throw new ProtocolError('a snapshot with something behind its end')
    const next = revision - events + ++this.#events
    if (decodeEvent(reader).revision !== next)
      throw new ProtocolError('a snapshot whose events have gaps between them')
    contents.history.load(bytes.subarray(at, end), next)
  }

  #readRecord(cursor: Cursor, { table, expiries }: Contents): void {
    const header = this.#header as SnapshotHeader
    const version = cursor.varint()
    const changed = cursor.varint()
    const expires = header.historyBytes === null ? 0 : cursor.varint()
    const keyLength = cursor.varint()
    checkKeyLength(keyLength)
    // The value follows the key.
    const bytes = cursor.rest()
    checkValueLength(bytes.length - keyLength)
    if (keyLength > bytes.length) throw new ProtocolError('a record whose key is cut off')
    if (version === 0 || changed === 0 || changed > header.revision)
      throw new ProtocolError('a record that was never changed, or later than its snapshot')
    if (this.#last !== NO_RECORD && !table.isBefore(this.#last, bytes, keyLength))
      throw new ProtocolError('a key twice in a snapshot, or out of order')
    const record = table.loadLast({ bytes, keyLength }, version, changed)
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

import { ByteReader, ProtocolError } from '@lab/rpc'
import { Contents } from './contents.ts'
import { decodeEvent } from './events.ts'
import { readKey, readValue } from './fields.ts'
import { NO_RECORD } from './memory/records.ts'
import { ITEM_BYTES_MAX, readHeader, type SnapshotHeader } from './snapshot-format.ts'

export interface ReadSnapshotOptions {
  readonly hashSeed: number
  /** For a snapshot that does not say. */
  readonly historyBytes: number
  /** When given, deadlines are moved as log time is: from the snapshot's to this one. */
  readonly now: number | undefined
}

/**
 * Reads what `writeSnapshot` wrote, however its chunks were cut, in format 1 too.
 *
 * @throws {ProtocolError} on anything else
 */
export async function readSnapshot(
  chunks: AsyncIterable<Uint8Array>,
  options: ReadSnapshotOptions,
): Promise<Contents> {
  const builder = new Builder(options)
  let rest: Uint8Array = new Uint8Array(0)
  for await (const chunk of chunks) {
    const bytes = rest.length === 0 ? chunk : joined(rest, chunk)
    rest = bytes.slice(builder.read(bytes))
  }
  if (rest.length > 0) throw new ProtocolError('a snapshot that ends within a record')
  return builder.finish()
}

class Builder {
  readonly #options: ReadSnapshotOptions
  #header: SnapshotHeader | null = null
  #contents: Contents | null = null
  #records = 0
  #events = 0

  constructor(options: ReadSnapshotOptions) {
    this.#options = options
  }

  /** Takes whole items off the front of `bytes`. @returns how many bytes they were */
  read(bytes: Uint8Array): number {
    let at = 0
    if (this.#contents === null) {
      const found = readHeader(bytes)
      if (found === null) return 0
      this.#begin(found.header)
      at = found.length
    }
    while (bytes.length - at >= 4) {
      const length = new ByteReader(bytes, at).u32()
      if (length > ITEM_BYTES_MAX) throw new ProtocolError(`an item of ${String(length)} bytes in a snapshot`)
      const end = at + 4 + length
      if (end > bytes.length) break
      this.#readItem(bytes, at, end)
      at = end
    }
    return at
  }

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

  #begin(header: SnapshotHeader): void {
    const { revision, time, historyBytes, events } = header
    const { hashSeed, now } = this.#options
    if (events > revision) throw new ProtocolError('a snapshot with more events than revisions')
    this.#header = header
    this.#contents = new Contents({
      ...{ revision, hashSeed, time: now ?? time },
      ...{ historyBytes: historyBytes ?? this.#options.historyBytes },
    })
  }

  #readItem(bytes: Uint8Array, at: number, end: number): void {
    const header = this.#header as SnapshotHeader
    const contents = this.#contents as Contents
    const reader = new ByteReader(bytes, at + 4, end)
    if (this.#records < header.records) {
      this.#records++
      this.#readRecord(reader, header, contents)
      return
    }
    if (this.#events === header.events) throw new ProtocolError('a snapshot with something behind its end')
    const revision = header.revision - header.events + ++this.#events
    if (decodeEvent(reader).revision !== revision)
      throw new ProtocolError('a snapshot whose events have gaps between them')
    contents.history.load(bytes.subarray(at, end), revision)
  }

  #readRecord(reader: ByteReader, header: SnapshotHeader, { table, expiries }: Contents): void {
    const version = reader.varint()
    const changed = reader.varint()
    const expires = header.historyBytes === null ? 0 : reader.varint()
    const key = readKey(reader)
    const value = readValue(reader)
    if (version === 0 || changed === 0 || changed > header.revision)
      throw new ProtocolError('a record that was never changed, or later than its snapshot')
    if (table.find(key, key.length) !== NO_RECORD) throw new ProtocolError('a key twice in a snapshot')
    // The value follows the key.
    const bytes = new Uint8Array(key.buffer, key.byteOffset, key.length + value.length)
    const record = table.load({ bytes, keyLength: key.length }, version, changed)
    if (expires === 0) return
    const { now } = this.#options
    expiries.add(record, now === undefined ? expires : now + Math.max(expires - header.time, 0))
  }
}

function joined(a: Uint8Array, b: Uint8Array): Uint8Array {
  const both = new Uint8Array(a.length + b.length)
  both.set(a)
  both.set(b, a.length)
  return both
}

import { ByteWriter } from '@lab/rpc'
import type { Contents } from './contents.ts'
import type { EventRun } from './history.ts'
import type { RecordNumber } from './memory/records.ts'
import { writeStored } from './memory/stored-record.ts'
import type { Table } from './memory/table.ts'
import type { View } from './memory/view.ts'
import { HEADER_BYTES, writeHeader, type SnapshotHeader } from './snapshot-format.ts'

const CHUNK_BYTES = 64 * 1024

/**
 * The contents of the moment of this call, in chunks of some 64 KB that are encoded as they are drawn. Each is good until the next is
 * drawn: a buffer for each would have V8 collect fully for every 20 MB.
 */
export function writeSnapshot(contents: Contents): Iterable<Uint8Array> {
  const header = new ByteWriter(HEADER_BYTES)
  writeHeader(header, headerOf(contents))
  return writeItems(contents, header.view(), null)
}

/** What the snapshot of these contents begins with. */
export function headerOf({ table, history, revision, time }: Contents): SnapshotHeader {
  const { count: events, bytesMax: historyBytes } = history
  return { revision, time, records: table.count, events, historyBytes }
}

/**
 * Records and events of the moment of this call, behind `before`.
 *
 * @param last the last key, of contents that are still being loaded in the order of keys
 */
export function writeItems(
  contents: Contents,
  before: Uint8Array,
  last: Uint8Array | null,
): Iterable<Uint8Array> {
  const view = contents.table.freeze(contents.revision, last)
  return draw(contents.table, view, before, contents.history.freeze())
}

function* draw(
  table: Table,
  view: View,
  before: Uint8Array,
  runs: readonly EventRun[],
): Generator<Uint8Array, void, undefined> {
  // Many stores may begin a snapshot at the same moment; each has a buffer only while it is its turn, and a small one no large buffer.
  const writer = new ByteWriter(Math.min(2 * CHUNK_BYTES, 256 + 2 * table.dataBytes)).raw(before)
  const take = (record: RecordNumber): boolean => {
    writeRecord(writer, table, record)
    return writer.length < CHUNK_BYTES
  }
  try {
    for (let more = true; more;) {
      more = view.draw(take)
      const bytes = writer.view()
      // Nothing, when all it looked at is newer: others get their turn all the same.
      if (bytes.length === 0 && more) yield bytes
      yield* pieces(bytes, 0, bytes.length)
      writer.reset()
    }
    for (const { bytes, start, end: last } of runs) yield* pieces(bytes, start, last)
  } finally {
    view.end()
  }
}

/** The last piece may be up to twice as long: no piece is tiny. */
function* pieces(bytes: Uint8Array, start: number, end: number): Generator<Uint8Array, void, undefined> {
  let at = start
  for (; end - at > 2 * CHUNK_BYTES; at += CHUNK_BYTES) yield bytes.subarray(at, at + CHUNK_BYTES)
  if (at < end) yield bytes.subarray(at, end)
}

/** Filled anew for each record: an object for each of a million would be most of what a snapshot leaves to the collector. */
const numbers = { keyLength: 0, version: 0, changed: 0, expires: 0 }

export function writeRecord(writer: ByteWriter, table: Table, record: RecordNumber): void {
  const { records } = table
  const start = records.keyAt(record)
  numbers.keyLength = records.keyLength(record)
  numbers.version = records.version(record)
  numbers.changed = records.changed(record)
  numbers.expires = table.deadline(record)
  const pair = records.array(record).subarray(start, start + numbers.keyLength + records.valueLength(record))
  writeStored(writer, numbers, pair)
}

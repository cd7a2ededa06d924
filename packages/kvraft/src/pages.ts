/**
 * A store that does not change any more, in pages: the bytes of its snapshot, cut between items, from any place on. Nothing is
 * held between two pages, and equal stores give equal ones: a reader may go on at another replica.
 *
 *     cursor  no byte: from the beginning · u8 1 · key: after that record · u8 2 · varint revision: from that event on
 */
import { ByteReader, ByteWriter, ProtocolError } from '@lab/rpc'
import type { Contents } from './contents.ts'
import { NO_RECORD } from './memory/records.ts'
import { followerOf } from './range.ts'
import { writeHeader } from './snapshot-format.ts'
import { headerOf, writeRecord } from './snapshot-writer.ts'

/** Where a page begins. */
export type PageCursor = Uint8Array

export interface StorePage {
  readonly bytes: Uint8Array
  /** Of the page that follows; null when this is the last one. */
  readonly next: PageCursor | null
}

export const FIRST_PAGE: PageCursor = new Uint8Array(0)

const RECORD = 1
const EVENT = 2

/**
 * @param bytesMax the page ends with the item that reaches it
 * @param writer takes it: its bytes are good until it is used again
 * @throws {ProtocolError} on a cursor that is none
 */
export function readPage(
  contents: Contents,
  cursor: PageCursor,
  bytesMax: number,
  writer: ByteWriter,
): StorePage {
  const { history } = contents
  writer.reset()
  if (cursor.length === 0) writeHeader(writer, headerOf(contents))
  const reader = new ByteReader(cursor)
  const kind = cursor.length === 0 ? RECORD : reader.u8()
  if (kind === RECORD) {
    const last = writeRecords(contents, writer, reader.raw(reader.remaining), bytesMax)
    if (last !== null) return { bytes: writer.view(), next: recordCursor(last) }
  } else if (kind !== EVENT) throw new ProtocolError(`a page at an unknown place ${String(kind)}`)
  const from = kind === EVENT ? reader.varint() : history.first
  if (from < history.first) throw new ProtocolError('a page of forgotten events')
  const next = writeEvents(contents, writer, from, bytesMax)
  return { bytes: writer.view(), next: next > contents.revision ? null : eventCursor(next) }
}

/** @returns the last key written when the page is full, null when no record is left */
function writeRecords(
  { table }: Contents,
  writer: ByteWriter,
  after: Uint8Array,
  bytesMax: number,
): Uint8Array | null {
  let position = after.length === 0 ? 0 : table.seek(followerOf(after))
  for (;;) {
    const record = table.at(position)
    if (record === NO_RECORD) return null
    writeRecord(writer, table, record)
    if (writer.length >= bytesMax) return table.key(record)
    position = table.after(position)
  }
}

/** @returns the revision of the event that follows */
function writeEvents({ history }: Contents, writer: ByteWriter, from: number, bytesMax: number): number {
  let next = from
  // A page that records have filled was handed out before: there is room for one event at least.
  history.read(from, (bytes, start, end) => {
    writer.raw(bytes.subarray(start, end))
    next++
    return writer.length < bytesMax
  })
  return next
}

function recordCursor(key: Uint8Array): PageCursor {
  return new ByteWriter(1 + key.length).u8(RECORD).raw(key).finish()
}

function eventCursor(revision: number): PageCursor {
  return new ByteWriter(9).u8(EVENT).varint(revision).finish()
}

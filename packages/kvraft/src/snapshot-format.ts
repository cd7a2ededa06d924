/**
 * The store as a stream of bytes:
 *
 *     u8 2 · u64 revision · u64 log time · u64 count of records · u64 count of events · u32 bytes of history at most
 *     per record  u32 bytes that follow · varint version · varint changed · varint expires (0 for never) · bytes key · value
 *     per event   as in the history, see events.ts
 *
 * Records are in the order of their keys, so that equal stores have equal snapshots. Format 1, which is still read, had no log
 * time and no events: u8 1 · u64 revision · u64 count, and records without `expires`.
 */
import { ByteReader, ProtocolError, type ByteWriter } from '@lab/rpc'
import { KEY_BYTES_MAX, VALUE_BYTES_MAX } from './limits.ts'

const FORMAT = 2
const FIRST_FORMAT = 1
export const HEADER_BYTES = 1 + 4 * 8 + 4
const FIRST_HEADER_BYTES = 1 + 2 * 8

/** Three varints and the key's length besides key and value; an event has no more. */
export const ITEM_BYTES_MAX = 3 * 8 + 2 + KEY_BYTES_MAX + VALUE_BYTES_MAX

export interface SnapshotHeader {
  readonly revision: number
  readonly time: number
  readonly records: number
  readonly events: number
  /** Null in format 1, which has none. */
  readonly historyBytes: number | null
}

export function writeHeader(writer: ByteWriter, header: SnapshotHeader): void {
  const { revision, time, records, events, historyBytes } = header
  writer.u8(FORMAT).u64(revision).u64(time).u64(records).u64(events)
  writer.u32(historyBytes ?? 0)
}

/** @returns null while `bytes` are too few; else the header and its length @throws {ProtocolError} */
export function readHeader(bytes: Uint8Array): { header: SnapshotHeader; length: number } | null {
  if (bytes.length === 0) return null
  const format = bytes[0] as number
  if (format !== FORMAT && format !== FIRST_FORMAT)
    throw new ProtocolError(`a snapshot of format ${String(format)}`)
  const length = format === FORMAT ? HEADER_BYTES : FIRST_HEADER_BYTES
  if (bytes.length < length) return null
  const reader = new ByteReader(bytes, 1)
  const revision = reader.u64()
  if (format === FIRST_FORMAT) {
    const records = reader.u64()
    return { header: { revision, time: 0, records, events: 0, historyBytes: null }, length }
  }
  const time = reader.u64()
  const records = reader.u64()
  const events = reader.u64()
  return { header: { revision, time, records, events, historyBytes: reader.u32() }, length }
}

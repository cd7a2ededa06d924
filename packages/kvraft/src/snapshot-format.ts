/**
 * The store as a stream of bytes:
 *
 *     u8 3 · u64 revision · u64 log time · u64 count of records · u64 count of events · u32 bytes of history at most
 *     records  as the store's memory has them, see memory/stored-record.ts
 *     events   as in the history, see events.ts
 *
 * Records are in the order of their keys, so that equal stores have equal snapshots.
 */
import { ByteReader, ProtocolError, type ByteWriter } from '@lab/rpc'
import { KEY_BYTES_MAX, VALUE_BYTES_MAX } from './limits.ts'
import { STORED_BYTES_MAX } from './memory/stored-record.ts'

const FORMAT = 3
export const HEADER_BYTES = 1 + 4 * 8 + 4

/** Kind and three varints besides key and value. */
export const EVENT_BYTES_MAX = 1 + 3 * 8 + KEY_BYTES_MAX + VALUE_BYTES_MAX

/** A record or an event. */
export const ITEM_BYTES_MAX = Math.max(STORED_BYTES_MAX, 4 + EVENT_BYTES_MAX)

export interface SnapshotHeader {
  readonly revision: number
  readonly time: number
  readonly records: number
  readonly events: number
  readonly historyBytes: number
}

export function writeHeader(writer: ByteWriter, header: SnapshotHeader): void {
  const { revision, time, records, events, historyBytes } = header
  writer.u8(FORMAT).u64(revision).u64(time).u64(records).u64(events)
  writer.u32(historyBytes)
}

/** @returns null while `bytes` are too few @throws {ProtocolError} */
export function readHeader(bytes: Uint8Array): SnapshotHeader | null {
  if (bytes.length === 0) return null
  const reader = new ByteReader(bytes)
  const format = reader.u8()
  if (format !== FORMAT)
    throw new ProtocolError(`a snapshot of format ${String(format)}; this program reads ${String(FORMAT)}`)
  if (bytes.length < HEADER_BYTES) return null
  const revision = reader.u64()
  const time = reader.u64()
  const records = reader.u64()
  const events = reader.u64()
  return { revision, time, records, events, historyBytes: reader.u32() }
}

/** Reading batches: what is a whole one, what is left of one, and whether any follows. */
import { crc32 } from '../../crc32.ts'
import type { Entry } from '../../entry.ts'
import { decodeRecords } from '../../record.ts'
import { BATCH_HEADER_BYTES, BATCH_MAGIC, SALT_BYTES, SECTOR_BYTES, sectorEnd, viewOf } from './format.ts'

export interface Batch {
  readonly sequence: number
  /** Entries, and the records that only a disk holds; they share the bytes read. */
  readonly records: readonly Entry[]
  /** Where the next batch begins. */
  readonly end: number
}

/** What the checksum of a batch covers besides its header: length and crc of each record. */
export const DIGEST_BYTES_PER_RECORD = 8

/** The batch that begins at `at`, or null when it is not whole. Any salt will do when `salt` is null. */
export function batchAt(bytes: Uint8Array, at: number, salt: Uint8Array | null): Batch | null {
  const header = batchHeaderAt(bytes, at, salt)
  if (header === null) return null
  const start = at + BATCH_HEADER_BYTES
  const end = start + header.length
  if (end > bytes.length) return null
  const records = recordsOrNull(bytes, start, end)
  if (records?.length !== header.count) return null
  if (header.crc !== batchCrc(bytes, at, records)) return null
  return { sequence: header.sequence, records, end: sectorEnd(end) }
}

export interface BatchHeader {
  readonly crc: number
  readonly length: number
  readonly count: number
  readonly sequence: number
}

/** What claims to be a batch's header at `at`, unverified; null when nothing does. */
export function batchHeaderAt(bytes: Uint8Array, at: number, salt: Uint8Array | null): BatchHeader | null {
  if (at + BATCH_HEADER_BYTES > bytes.length) return null
  const view = viewOf(bytes)
  if (view.getUint32(at, true) !== BATCH_MAGIC) return null
  for (let i = 0; salt !== null && i < SALT_BYTES; i++) if (bytes[at + 24 + i] !== salt[i]) return null
  return {
    crc: view.getUint32(at + 4, true),
    length: view.getUint32(at + 8, true),
    count: view.getUint32(at + 12, true),
    sequence: Number(view.getBigUint64(at + 16, true)),
  }
}

/**
 * Where a whole batch of a sequence above `sequence` stands, from `from` on; null when there is none. It tells damage from
 * a torn tail: a batch is begun only when the one before is durable, so nothing can follow a torn one.
 */
export function laterBatch(
  bytes: Uint8Array,
  from: number,
  salt: Uint8Array | null,
  sequence: number,
): number | null {
  // Sectors are many, and all but few begin otherwise.
  const view = viewOf(bytes)
  for (let at = sectorEnd(from); at + BATCH_HEADER_BYTES <= bytes.length; at += SECTOR_BYTES) {
    if (view.getUint32(at, true) !== BATCH_MAGIC) continue
    const header = batchHeaderAt(bytes, at, salt)
    if (header !== null && header.sequence > sequence && batchAt(bytes, at, salt) !== null) return at
  }
  return null
}

function recordsOrNull(bytes: Uint8Array, start: number, end: number): Entry[] | null {
  try {
    return decodeRecords(bytes, start, end)
  } catch {
    return null
  }
}

/**
 * Covers each record through its own checksum, so that a batch of 150 KB, checked when its entries were made, costs a few
 * microseconds more and not a second pass over its bytes.
 */
function batchCrc(bytes: Uint8Array, at: number, records: readonly Entry[]): number {
  let crc = crc32(bytes, at + 8, at + BATCH_HEADER_BYTES)
  for (const { start } of records) crc = crc32(bytes, start, start + DIGEST_BYTES_PER_RECORD, crc)
  return crc
}

/** Lays out a batch in one piece of memory, so that it goes to the disk in one write. */
import { crc32 } from '../../crc32.ts'
import { EntryKind, RECORD_HEADER_BYTES, recordBytes, type Entry } from '../../entry.ts'
import { makeEntry } from '../../record.ts'
import type { HardState, Index, Term } from '../../types.ts'
import type { LogStart } from '../term-runs.ts'
import { DIGEST_BYTES_PER_RECORD } from './batch.ts'
import {
  BATCH_HEADER_BYTES,
  BATCH_MAGIC,
  SECTOR_BYTES,
  encodeSegmentHeader,
  sectorEnd,
  viewOf,
  type SegmentHeader,
} from './format.ts'

/** A larger buffer is not kept for the next batch. */
const KEPT_BYTES_MAX = 1024 * 1024
const NO_PAYLOAD = new Uint8Array(0)
/** Of copies. */
const COUNT_BYTES = 4
const text = new TextEncoder()

export interface BatchContent {
  readonly sequence: number
  readonly salt: Uint8Array
  /** With the first batch of a segment its header is written too. */
  readonly segment: SegmentHeader | null
  /** At most one a group. */
  readonly parts: readonly BatchPart[]
}

/** What one group has in a batch. */
export interface BatchPart {
  readonly group: number
  /** Nothing that was said of the group before counts any more, and nothing else is said now. */
  readonly removed: boolean
  readonly hardState: HardState | null
  /** What follows comes after this entry; a log that does not hold it begins anew there. */
  readonly logStart: LogStart | null
  /** The entries are copies of those after this entry: the log itself is what it was. */
  readonly copiesAfter?: LogStart
  readonly entries: readonly Entry[]
}

export interface EncodedBatch {
  /** Valid until the next batch is encoded. */
  readonly bytes: Uint8Array
  /** Of each part, where in `bytes` its first entry stands; the others follow it. */
  readonly entriesAt: readonly number[]
}

/** What a batch takes besides its parts, its segment's header left out. */
export const BATCH_OVERHEAD_BYTES = BATCH_HEADER_BYTES

/** An upper bound of what a part takes in its batch. */
export function partBytesMax({ entries, hardState }: BatchPart): number {
  let bytes = 3 * RECORD_HEADER_BYTES + COUNT_BYTES + 3 * (hardState?.votedFor.length ?? 0)
  for (const entry of entries) bytes += recordBytes(entry)
  return bytes
}

export class BatchWriter {
  #buffer = new Uint8Array(64 * 1024)
  #digest = new Uint8Array(1024)

  encode(content: BatchContent): EncodedBatch {
    const { parts, segment } = content
    const start = segment === null ? 0 : SECTOR_BYTES
    const bytesMax = parts.reduce((sum, part) => sum + partBytesMax(part), BATCH_OVERHEAD_BYTES)
    const bytes = this.#room(start + sectorEnd(bytesMax))
    if (segment !== null) encodeSegmentHeader(bytes, segment)
    let at = start + BATCH_HEADER_BYTES
    let count = 0
    const entriesAt: number[] = []
    for (const part of parts) {
      const own = ownRecords(part)
      for (const record of own) at = copyRecords(record.slab, record.start, record.end, bytes, at)
      entriesAt.push(at)
      at = copyEntries(part.entries, bytes, at)
      count += own.length + part.entries.length
    }
    const end = sectorEnd(at)
    bytes.fill(0, at, end)
    this.#sign(bytes, start, at, content, count)
    return { bytes: bytes.subarray(0, end), entriesAt }
  }

  #sign(bytes: Uint8Array, start: number, end: number, content: BatchContent, count: number): void {
    const view = viewOf(bytes)
    view.setUint32(start, BATCH_MAGIC, true)
    view.setUint32(start + 8, end - start - BATCH_HEADER_BYTES, true)
    view.setUint32(start + 12, count, true)
    view.setBigUint64(start + 16, BigInt(content.sequence), true)
    bytes.set(content.salt, start + 24)
    view.setUint32(start + 4, this.#crc(bytes, view, start, end, count), true)
  }

  /** As batchCrc in batch.ts computes it, gathered first: one call instead of one a record. */
  #crc(bytes: Uint8Array, view: DataView, start: number, end: number, count: number): number {
    const fixed = BATCH_HEADER_BYTES - 8
    const length = fixed + count * DIGEST_BYTES_PER_RECORD
    if (this.#digest.length < length) this.#digest = new Uint8Array(2 * length)
    const digest = this.#digest
    digest.set(bytes.subarray(start + 8, start + BATCH_HEADER_BYTES))
    const to = viewOf(digest)
    let gathered = fixed
    for (let at = start + BATCH_HEADER_BYTES; at < end; gathered += DIGEST_BYTES_PER_RECORD) {
      const recordLength = view.getUint32(at, true)
      to.setUint32(gathered, recordLength, true)
      to.setUint32(gathered + 4, view.getUint32(at + 4, true), true)
      at += recordLength
    }
    return crc32(digest, 0, length)
  }

  #room(length: number): Uint8Array {
    if (length > KEPT_BYTES_MAX) return new Uint8Array(length)
    if (this.#buffer.length < length) this.#buffer = new Uint8Array(Math.min(2 * length, KEPT_BYTES_MAX))
    return this.#buffer
  }
}

/** The records that only a disk holds. The term stands before every entry of that term. */
function ownRecords({ group, removed, hardState, logStart, copiesAfter, entries }: BatchPart): Entry[] {
  const records: Entry[] = []
  // All made alike: objects of several shapes would slow down every record that is made.
  const add = (kind: EntryKind, index: Index, term: Term, payload: Uint8Array): void => {
    records.push(makeEntry({ group, kind, index, term, time: 0, payload }))
  }
  if (removed) add(EntryKind.groupRemoved, 0, 0, NO_PAYLOAD)
  if (hardState !== null) add(EntryKind.hardState, 0, hardState.currentTerm, text.encode(hardState.votedFor))
  if (logStart !== null) add(EntryKind.logStart, logStart.index, logStart.term, NO_PAYLOAD)
  if (copiesAfter !== undefined) add(EntryKind.copies, copiesAfter.index, copiesAfter.term, countOf(entries))
  return records
}

function countOf(entries: readonly Entry[]): Uint8Array {
  const bytes = new Uint8Array(COUNT_BYTES)
  viewOf(bytes).setUint32(0, entries.length, true)
  return bytes
}

/** Entries that lie side by side in their slab are copied in one go. */
function copyEntries(entries: readonly Entry[], to: Uint8Array, at: number): number {
  for (let i = 0; i < entries.length;) {
    const { slab, start, end } = entries[i] as Entry
    let runEnd = end
    for (i++; i < entries.length; i++) {
      const next = entries[i] as Entry
      if (next.slab !== slab || next.start !== runEnd) break
      runEnd = next.end
    }
    at = copyRecords(slab, start, runEnd, to, at)
  }
  return at
}

function copyRecords(slab: Uint8Array, start: number, end: number, to: Uint8Array, at: number): number {
  to.set(slab.subarray(start, end), at)
  return at + end - start
}

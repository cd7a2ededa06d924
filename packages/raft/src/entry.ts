/**
 * A log entry and its bytes. The same record bytes stand in memory, on the wire and on disk, so a follower writes what
 * it received and nothing is encoded twice. All numbers little endian.
 *
 *      0  u32  length of the whole record, these four bytes included
 *      4  u32  crc32 of everything after these four bytes
 *      8  u8   kind (EntryKind)
 *      9  u8   0
 *     10  u16  0
 *     12  u32  group (0 where a log serves one group)
 *     16  u64  index
 *     24  u64  term
 *     32  u64  log time, milliseconds since 1970
 *     40       payload
 *
 * The codec stands in record.ts.
 */
import type { Index, Term } from './types.ts'

export const RECORD_HEADER_BYTES = 40

/** What a record says. The numbers are on disk and on the wire: never reuse one. */
export const EntryKind = {
  /** A command for the state machine, in the envelope of the rsm layer. */
  command: 1,
  /** What a new leader appends to commit what earlier terms left (§8). */
  noop: 2,
  /** A `Membership` (§6). */
  configuration: 3,
  /** On disk only: `HardState`, payload = votedFor in UTF-8, term = currentTerm, index = 0. */
  hardState: 4,
  /** On disk only: what follows comes after the entry (index, term); a log that does not hold it begins anew there. No payload. */
  logStart: 5,
  /** On disk only: nothing that was said of the group before counts any more. No payload. */
  groupRemoved: 6,
  /**
   * On disk only: the next entries of the group, payload = how many (u32), are copies of those after the entry (index, term). They count
   * from the log start on that names the last of them.
   */
  copies: 7,
} as const
export type EntryKind = (typeof EntryKind)[keyof typeof EntryKind]

/** One entry: its numbers, and where its record stands. No view per entry: a batch of entries shares one `slab`. */
export interface Entry {
  readonly index: Index
  readonly term: Term
  readonly kind: EntryKind
  /** The leader's clock when it appended, never less than the entry before (milliseconds since 1970). */
  readonly time: number
  /** Holds the record at [start, end); never changed once the entry exists. */
  readonly slab: Uint8Array
  readonly start: number
  readonly end: number
}

/** A view on the entry's payload. */
export function payloadOf(entry: Entry): Uint8Array {
  return entry.slab.subarray(entry.start + RECORD_HEADER_BYTES, entry.end)
}

/** Bytes of the entry's record. */
export function recordBytes(entry: Entry): number {
  return entry.end - entry.start
}

/** The checksum in the entry's record: two entries with the same one say the same. */
export function crcOf({ slab, start }: Entry): number {
  return new DataView(slab.buffer, slab.byteOffset + start + 4, 4).getUint32(0, true)
}

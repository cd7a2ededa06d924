/**
 * The bytes of the log on disk; `docs/log-format.md` draws them. All numbers little endian.
 *
 *     segment   header (one sector)  batch  batch  …  zeros, or a recycled segment's earlier life
 *     batch     header (32 bytes)    record  record  …  zeros up to the next sector
 *     record    as in entry.ts
 *
 * Segment header:                                   Batch header:
 *      0  8 bytes  'lab-log\n'                           0  u32  BATCH_MAGIC
 *      8  u32  format version                            4  u32  crc32 of bytes 8 to 32 and of every record's first eight
 *     12  u32  0                                         8  u32  bytes of records
 *     16  u64  segment number                           12  u32  number of records
 *     24  u64  sequence of its first batch              16  u64  sequence: one more than that of the batch before
 *     32  u64  bytes allocated                          24  8 bytes  the segment's salt
 *     40  8 bytes  salt
 *     48  u32  crc32 of bytes 0 to 48
 */
import { crc32 } from '../../crc32.ts'

export const FORMAT_VERSION = 1

/** No two batches share one, so that a write torn by a power cut cannot damage what an earlier one made durable. */
export const SECTOR_BYTES = 512
export const SEGMENT_BYTES_MIN = 4096
export const BATCH_HEADER_BYTES = 32
/** Longer than any record may be, so that the one is not taken for the other. */
export const BATCH_MAGIC = 0xed4b7cba
export const SALT_BYTES = 8

const SEGMENT_MAGIC = 0x0a676f6c2d62616cn // 'lab-log\n'
const SEGMENT_CRC_AT = 48

export interface SegmentHeader {
  readonly version: number
  readonly number: number
  readonly firstSequence: number
  /** The file's size when it was prepared: a shorter file was cut, which no crash does. */
  readonly allocatedBytes: number
  /** Drawn when the segment begins: its batches carry it, those of a recycled file's earlier life another. */
  readonly salt: Uint8Array
}

/** Writes the header's sector at the start of `bytes`. */
export function encodeSegmentHeader(bytes: Uint8Array, header: SegmentHeader): void {
  const view = viewOf(bytes)
  bytes.fill(0, 0, SECTOR_BYTES)
  view.setBigUint64(0, SEGMENT_MAGIC, true)
  view.setUint32(8, header.version, true)
  view.setBigUint64(16, BigInt(header.number), true)
  view.setBigUint64(24, BigInt(header.firstSequence), true)
  view.setBigUint64(32, BigInt(header.allocatedBytes), true)
  bytes.set(header.salt, 40)
  view.setUint32(SEGMENT_CRC_AT, crc32(bytes, 0, SEGMENT_CRC_AT), true)
}

/** Null when there is no undamaged header, as in a segment that was prepared and never begun. */
export function decodeSegmentHeader(bytes: Uint8Array): SegmentHeader | null {
  if (bytes.length < SECTOR_BYTES) return null
  const view = viewOf(bytes)
  if (view.getBigUint64(0, true) !== SEGMENT_MAGIC) return null
  if (view.getUint32(SEGMENT_CRC_AT, true) !== crc32(bytes, 0, SEGMENT_CRC_AT)) return null
  return {
    version: view.getUint32(8, true),
    number: Number(view.getBigUint64(16, true)),
    firstSequence: Number(view.getBigUint64(24, true)),
    allocatedBytes: Number(view.getBigUint64(32, true)),
    salt: bytes.slice(40, 40 + SALT_BYTES),
  }
}

/** The next sector boundary at or after `position`. */
export function sectorEnd(position: number): number {
  return Math.ceil(position / SECTOR_BYTES) * SECTOR_BYTES
}

/** `log-0000000001`; the padding keeps a listing in order. */
export function segmentName(number: number): string {
  return `log-${String(number).padStart(10, '0')}`
}

/** The number in a segment's name; null for any other name. */
export function segmentNumber(name: string): number | null {
  const digits = /^log-(\d{10,15})$/.exec(name)?.[1]
  return digits === undefined ? null : Number(digits)
}

export function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}

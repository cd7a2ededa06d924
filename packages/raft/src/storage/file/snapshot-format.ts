/**
 * A snapshot's file. Each block of the state has a checksum, so that any part can be read and trusted alone; they stand behind the
 * state, so that what is read of it is state and nothing else.
 *
 *     header   'lab-snap'  u32 version  u32 membership bytes  u64 index  u64 term  membership  u32 crc32 of all before
 *     state    in one piece
 *     blocks   u32 crc32 of each 65 536 bytes of it; the last may be of fewer
 *     trailer  u64 bytes of state  u32 crc32 of them  u32 crc32 of header's crc, the blocks' and these twelve bytes
 */
import { crc32 } from '../../crc32.ts'
import type { SnapshotMeta } from '../../types.ts'
import { viewOf } from './format.ts'

/** Version 1, of before anything was published, had checksums between the blocks. */
export const SNAPSHOT_VERSION = 2
export const SNAPSHOT_BLOCK_BYTES = 64 * 1024
const BLOCK_CRC_BYTES = 4
export const TRAILER_BYTES = 16
/** Magic to term; the membership follows. */
export const SNAPSHOT_FIXED_BYTES = 32

const MAGIC = 0x70616e732d62616cn // 'lab-snap'

export interface SnapshotHeader {
  readonly version: number
  readonly meta: SnapshotMeta
  readonly bytes: number
  readonly crc: number
}

export interface SnapshotTrailer {
  readonly size: number
  readonly crc: number
}

export function encodeSnapshotHeader(meta: SnapshotMeta): Uint8Array {
  const end = SNAPSHOT_FIXED_BYTES + meta.membership.length
  const bytes = new Uint8Array(end + 4)
  const view = viewOf(bytes)
  view.setBigUint64(0, MAGIC, true)
  view.setUint32(8, SNAPSHOT_VERSION, true)
  view.setUint32(12, meta.membership.length, true)
  view.setBigUint64(16, BigInt(meta.index), true)
  view.setBigUint64(24, BigInt(meta.term), true)
  bytes.set(meta.membership, SNAPSHOT_FIXED_BYTES)
  view.setUint32(end, crc32(bytes, 0, end), true)
  return bytes
}

/** How long the header is that begins with `fixed`; null when that is no header. */
export function snapshotHeaderBytes(fixed: Uint8Array): number | null {
  if (fixed.length < SNAPSHOT_FIXED_BYTES) return null
  const view = viewOf(fixed)
  if (view.getBigUint64(0, true) !== MAGIC) return null
  return SNAPSHOT_FIXED_BYTES + view.getUint32(12, true) + 4
}

/** Null when damaged. */
export function decodeSnapshotHeader(bytes: Uint8Array): SnapshotHeader | null {
  if (snapshotHeaderBytes(bytes) !== bytes.length) return null
  const view = viewOf(bytes)
  const end = bytes.length - 4
  const crc = view.getUint32(end, true)
  if (crc !== crc32(bytes, 0, end)) return null
  return {
    version: view.getUint32(8, true),
    meta: {
      index: Number(view.getBigUint64(16, true)),
      term: Number(view.getBigUint64(24, true)),
      membership: bytes.slice(SNAPSHOT_FIXED_BYTES, end),
    },
    bytes: bytes.length,
    crc,
  }
}

/** @param blocks the checksums of all blocks */
export function encodeSnapshotTrailer(
  header: Uint8Array,
  blocks: Uint8Array,
  { size, crc }: SnapshotTrailer,
): Uint8Array {
  const bytes = new Uint8Array(TRAILER_BYTES)
  const view = viewOf(bytes)
  view.setBigUint64(0, BigInt(size), true)
  view.setUint32(8, crc, true)
  const headerCrc = viewOf(header).getUint32(header.length - 4, true)
  view.setUint32(12, trailerCrc(bytes, blocks, headerCrc), true)
  return bytes
}

/** What it claims, unverified: whether it is true shows with the checksums of the blocks, see {@link isSnapshotEnd}. */
export function decodeSnapshotTrailer(bytes: Uint8Array): SnapshotTrailer | null {
  if (bytes.length !== TRAILER_BYTES) return null
  const view = viewOf(bytes)
  return { size: Number(view.getBigUint64(0, true)), crc: view.getUint32(8, true) }
}

/** Are these the whole end of the file that begins so? */
export function isSnapshotEnd(trailer: Uint8Array, blocks: Uint8Array, header: SnapshotHeader): boolean {
  return viewOf(trailer).getUint32(12, true) === trailerCrc(trailer, blocks, header.crc)
}

/** Of the checksums of a state of `size` bytes. */
export function blockCrcBytes(size: number): number {
  return Math.ceil(size / SNAPSHOT_BLOCK_BYTES) * BLOCK_CRC_BYTES
}

/** What the whole file must measure. */
export function snapshotFileBytes(headerBytes: number, size: number): number {
  return headerBytes + size + blockCrcBytes(size) + TRAILER_BYTES
}

/** `snapshot-<index>-<term>`, padded so that a listing is in order; `-<group>` follows for any group but 0. */
export function snapshotName(group: number, { index, term }: Pick<SnapshotMeta, 'index' | 'term'>): string {
  const name = `snapshot-${String(index).padStart(16, '0')}-${String(term).padStart(8, '0')}`
  return group === 0 ? name : `${name}-${String(group).padStart(10, '0')}`
}

export interface SnapshotNumbers {
  readonly group: number
  readonly index: number
  readonly term: number
}

export function snapshotNumbers(name: string): SnapshotNumbers | null {
  const [, index, term, group] = /^snapshot-(\d{16})-(\d{8,16})(?:-(\d{10}))?$/.exec(name) ?? []
  if (index === undefined || term === undefined) return null
  return { group: Number(group ?? 0), index: Number(index), term: Number(term) }
}

function trailerCrc(trailer: Uint8Array, blocks: Uint8Array, headerCrc: number): number {
  return crc32(trailer, 0, 12, crc32(blocks, 0, blocks.length, headerCrc))
}

/**
 * What one attempt of a map task leaves behind: one file, whatever the number of partitions and of spills.
 *
 *     file    = "MRS2" segment … index footer
 *     segment = block …                              the pairs of one spill for one partition, sorted by key
 *     block   = [payload bytes u32][pairs u32][number in the segment u32][bytes of the pairs u32][crc32 u32] payload
 *     payload = the pairs as they are, or packed in fewer bytes: see packed-pairs.ts
 *     index   = [spills u32][partitions u32] then for each spill and partition [offset u48][bytes u48][pairs u48]
 *     footer  = [index bytes u32][crc32 of the index u32]"MRS2"
 *
 * Little endian. A block's checksum covers its header too, so that a block in another's place is no block.
 */
import { crc32 } from 'node:zlib'
import { DataError } from './errors.ts'
import type { TaskFile } from './files.ts'
import { asBuffer } from './text.ts'

export const MAGIC = new Uint8Array([0x4d, 0x52, 0x53, 0x32])
export const BLOCK_HEADER_BYTES = 20
/** Blocks are closed at this size; one that holds a single larger pair is as large as that. */
export const BLOCK_BYTES = 1 << 18
const FOOTER_BYTES = 12
const ENTRY_BYTES = 18

/** A sorted run of pairs for one partition. Empty ones have no bytes. */
export interface Segment {
  readonly offset: number
  readonly bytes: number
  readonly records: number
}

/** For each spill, the segment of each partition. */
export type SpillIndex = readonly (readonly Segment[])[]

/** What the header of a block says last: the checksum of the header before it, and of the payload. */
export function checksumOf(header: Uint8Array, payload: Uint8Array): number {
  return crc32(payload, crc32(header.subarray(0, 16)))
}

/** Of a text's UTF-8 bytes. */
export function checksumOfText(text: string): number {
  return crc32(text)
}

export function encodeIndex(index: SpillIndex, partitions: number): Uint8Array {
  const bytes = Buffer.alloc(8 + index.length * partitions * ENTRY_BYTES + FOOTER_BYTES)
  let at = bytes.writeUInt32LE(index.length, 0)
  at = bytes.writeUInt32LE(partitions, at)
  for (const segments of index)
    for (const { offset, bytes: size, records } of segments)
      for (const number of [offset, size, records]) at = bytes.writeUIntLE(number, at, 6)
  const crc = crc32(bytes.subarray(0, at))
  bytes.writeUInt32LE(crc, bytes.writeUInt32LE(at, at))
  bytes.set(MAGIC, at + 8)
  return bytes
}

/** The index at the end of a file that a map task wrote. @throws {DataError} `SPILL_CORRUPT` */
export function readIndex(file: TaskFile): SpillIndex {
  const size = file.size()
  const footer = readExactly(file, size - FOOTER_BYTES, FOOTER_BYTES)
  if (!MAGIC.every((byte, i) => footer[8 + i] === byte)) throw corrupt(file.path, 'has no end')
  const length = footer.readUInt32LE(0)
  const index = readExactly(file, size - FOOTER_BYTES - length, length)
  if (length < 8 || crc32(index) !== footer.readUInt32LE(4)) throw corrupt(file.path, 'has a damaged index')
  return decodeIndex(file.path, index)
}

function decodeIndex(path: string, bytes: Buffer): SpillIndex {
  const [spills, partitions] = [bytes.readUInt32LE(0), bytes.readUInt32LE(4)]
  if (bytes.length !== 8 + spills * partitions * ENTRY_BYTES)
    throw corrupt(path, 'has an index of another size')
  const segmentAt = (at: number): Segment => ({
    offset: bytes.readUIntLE(at, 6),
    bytes: bytes.readUIntLE(at + 6, 6),
    records: bytes.readUIntLE(at + 12, 6),
  })
  return Array.from({ length: spills }, (_, spill) =>
    Array.from({ length: partitions }, (__, partition) =>
      segmentAt(8 + (spill * partitions + partition) * ENTRY_BYTES),
    ),
  )
}

/** @throws {DataError} `SPILL_CORRUPT` when the file ends before */
export function readExactly(file: TaskFile, position: number, length: number): Buffer {
  if (position < 0) throw corrupt(file.path, 'ends too early')
  // A length that was damaged must not be believed before the file is known to be as long.
  if (position + length > file.size()) throw corrupt(file.path, `ends before byte ${position + length}`)
  const bytes = new Uint8Array(length)
  if (file.read(bytes, position) !== length) throw corrupt(file.path, `ends before byte ${position + length}`)
  return asBuffer(bytes)
}

export function corrupt(path: string, what: string): DataError {
  return new DataError('SPILL_CORRUPT', `${path} ${what}: the map task that wrote it must run again`, {
    path,
  })
}

import type { Disk, DiskFile } from '@lab/rpc'
import { crc32 } from '../../crc32.ts'
import { StorageError, type SnapshotReader } from '../../storage.ts'
import type { SnapshotMeta } from '../../types.ts'
import { corrupt, withStorageErrors } from './errors.ts'
import { FORMAT_VERSION, viewOf } from './format.ts'
import {
  BLOCK_CRC_BYTES,
  SNAPSHOT_BLOCK_BYTES,
  SNAPSHOT_FIXED_BYTES,
  TRAILER_BYTES,
  decodeSnapshotHeader,
  decodeSnapshotTrailer,
  snapshotFileBytes,
  snapshotHeaderBytes,
  type SnapshotHeader,
} from './snapshot-format.ts'

/** Reads a committed snapshot's file, any part of it, and checks every block that it gives. */
export class SnapshotFileReader implements SnapshotReader {
  readonly meta: SnapshotMeta
  readonly size: number
  readonly crc: number
  readonly #path: string
  readonly #file: DiskFile
  readonly #headerBytes: number
  readonly #closed: () => Promise<void>
  #isClosed = false

  private constructor(
    path: string,
    file: DiskFile,
    header: SnapshotHeader,
    whole: { readonly size: number; readonly crc: number },
    closed: () => Promise<void>,
  ) {
    this.meta = header.meta
    this.size = whole.size
    this.crc = whole.crc
    this.#path = path
    this.#file = file
    this.#headerBytes = header.bytes
    this.#closed = closed
  }

  /** @param closed called once, after the file is closed @throws {StorageError} `CORRUPT`, `VERSION` */
  static async open(
    disk: Disk,
    path: string,
    closed: () => Promise<void> = () => Promise.resolve(),
  ): Promise<SnapshotFileReader> {
    const file = await disk.open(path)
    try {
      const length = await file.size()
      const header = await readHeader(path, file, length)
      const trailer = decodeSnapshotTrailer(await file.read(length - TRAILER_BYTES, TRAILER_BYTES), header)
      if (trailer === null || snapshotFileBytes(header.bytes, trailer.size) !== length)
        throw corrupt(`${path}: the end of the snapshot is damaged or missing`)
      return new SnapshotFileReader(path, file, header, trailer, closed)
    } catch (thrown) {
      await file.close()
      throw thrown
    }
  }

  read(offset: number, length: number): Promise<Uint8Array> {
    return withStorageErrors(async () => {
      if (this.#isClosed) throw new StorageError('CLOSED', 'the snapshot reader is closed')
      const end = Math.min(offset + length, this.size)
      if (offset >= end) return new Uint8Array(0)
      const first = Math.floor(offset / SNAPSHOT_BLOCK_BYTES)
      const last = Math.floor((end - 1) / SNAPSHOT_BLOCK_BYTES)
      const from = first * SNAPSHOT_BLOCK_BYTES
      const state = await this.#readBlocks(first, last)
      return state.subarray(offset - from, end - from)
    })
  }

  async close(): Promise<void> {
    if (this.#isClosed) return
    this.#isClosed = true
    await this.#file.close()
    await this.#closed()
  }

  /** The state of blocks `first` to `last`, both included, in one piece. */
  async #readBlocks(first: number, last: number): Promise<Uint8Array> {
    const stride = SNAPSHOT_BLOCK_BYTES + BLOCK_CRC_BYTES
    const from = this.#headerBytes + first * stride
    const raw = await this.#file.read(from, (last - first + 1) * stride)
    for (let block = first; block <= last; block++) {
      const at = (block - first) * stride
      const length = Math.min(SNAPSHOT_BLOCK_BYTES, this.size - block * SNAPSHOT_BLOCK_BYTES)
      this.#check(raw, at, length, from)
      raw.copyWithin((block - first) * SNAPSHOT_BLOCK_BYTES, at, at + length)
    }
    return raw
  }

  #check(raw: Uint8Array, at: number, length: number, origin: number): void {
    const end = at + length
    if (end + BLOCK_CRC_BYTES <= raw.length && viewOf(raw).getUint32(end, true) === crc32(raw, at, end))
      return
    throw corrupt(`${this.#path}, offset ${String(origin + at)}: a block of the snapshot is damaged`)
  }
}

async function readHeader(path: string, file: DiskFile, fileBytes: number): Promise<SnapshotHeader> {
  const length = snapshotHeaderBytes(await file.read(0, SNAPSHOT_FIXED_BYTES))
  const fits = length !== null && length + TRAILER_BYTES <= fileBytes
  const header = fits ? decodeSnapshotHeader(await file.read(0, length)) : null
  if (header === null) throw corrupt(`${path}: the header of the snapshot is damaged`)
  if (header.version > FORMAT_VERSION)
    throw new StorageError(
      'VERSION',
      `${path} has format ${String(header.version)}, this program knows ${String(FORMAT_VERSION)}: use a newer one`,
    )
  return header
}

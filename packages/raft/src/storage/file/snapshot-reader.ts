import type { Disk, DiskFile } from '@lab/rpc'
import { crc32 } from '../../crc32.ts'
import { StorageError, type SnapshotReader } from '../../storage.ts'
import type { SnapshotMeta } from '../../types.ts'
import { corrupt, withStorageErrors } from './errors.ts'
import { viewOf } from './format.ts'
import {
  SNAPSHOT_BLOCK_BYTES,
  SNAPSHOT_FIXED_BYTES,
  SNAPSHOT_VERSION,
  TRAILER_BYTES,
  blockCrcBytes,
  decodeSnapshotHeader,
  decodeSnapshotTrailer,
  isSnapshotEnd,
  snapshotFileBytes,
  snapshotHeaderBytes,
  type SnapshotHeader,
  type SnapshotTrailer,
} from './snapshot-format.ts'

/** Reads a committed snapshot's file, any part of it, and checks every block that it gives. */
export class SnapshotFileReader implements SnapshotReader {
  readonly meta: SnapshotMeta
  readonly size: number
  readonly crc: number
  readonly #path: string
  readonly #file: DiskFile
  /** Where the state begins. */
  readonly #stateAt: number
  /** The checksum of each block. */
  readonly #blocks: DataView
  readonly #closed: () => Promise<void>
  #isClosed = false

  private constructor(
    path: string,
    file: DiskFile,
    { header, trailer, blocks }: Frame,
    closed: () => Promise<void>,
  ) {
    this.meta = header.meta
    this.size = trailer.size
    this.crc = trailer.crc
    this.#path = path
    this.#file = file
    this.#stateAt = header.bytes
    this.#blocks = viewOf(blocks)
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
      return new SnapshotFileReader(path, file, await readFrame(path, file), closed)
    } catch (thrown) {
      await file.close()
      throw thrown
    }
  }

  read(offset: number, length: number, into?: Uint8Array): Promise<Uint8Array> {
    return withStorageErrors(async () => {
      if (this.#isClosed) throw new StorageError('CLOSED', 'the snapshot reader is closed')
      const end = Math.min(offset + length, this.size)
      if (offset >= end) return new Uint8Array(0)
      const first = Math.floor(offset / SNAPSHOT_BLOCK_BYTES)
      const last = Math.floor((end - 1) / SNAPSHOT_BLOCK_BYTES)
      const from = first * SNAPSHOT_BLOCK_BYTES
      const state = await this.#readBlocks(first, last, into)
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
  async #readBlocks(first: number, last: number, into: Uint8Array | undefined): Promise<Uint8Array> {
    const from = first * SNAPSHOT_BLOCK_BYTES
    const until = Math.min((last + 1) * SNAPSHOT_BLOCK_BYTES, this.size)
    const length = until - from
    const fits = into !== undefined && into.length >= length
    const state = await this.#file.read(this.#stateAt + from, length, fits ? into : undefined)
    for (let block = first; block <= last; block++) {
      const at = (block - first) * SNAPSHOT_BLOCK_BYTES
      this.#check(state, block, at)
    }
    return state
  }

  #check(state: Uint8Array, block: number, at: number): void {
    const start = block * SNAPSHOT_BLOCK_BYTES
    const end = at + Math.min(SNAPSHOT_BLOCK_BYTES, this.size - start)
    if (end <= state.length && this.#blocks.getUint32(4 * block, true) === crc32(state, at, end)) return
    throw corrupt(
      `${this.#path}, offset ${String(this.#stateAt + start)}: a block of the snapshot is damaged`,
    )
  }
}

/** All but the state. */
interface Frame {
  readonly header: SnapshotHeader
  readonly trailer: SnapshotTrailer
  readonly blocks: Uint8Array
}

async function readFrame(path: string, file: DiskFile): Promise<Frame> {
  const length = await file.size()
  const header = await readHeader(path, file, length)
  const end = await file.read(length - TRAILER_BYTES, TRAILER_BYTES)
  const trailer = decodeSnapshotTrailer(end)
  if (trailer !== null && snapshotFileBytes(header.bytes, trailer.size) === length) {
    const blocks = await file.read(header.bytes + trailer.size, blockCrcBytes(trailer.size))
    if (isSnapshotEnd(end, blocks, header)) return { header, trailer, blocks }
  }
  throw corrupt(`${path}: the end of the snapshot is damaged or missing`)
}

async function readHeader(path: string, file: DiskFile, fileBytes: number): Promise<SnapshotHeader> {
  const length = snapshotHeaderBytes(await file.read(0, SNAPSHOT_FIXED_BYTES))
  const fits = length !== null && length + TRAILER_BYTES <= fileBytes
  const header = fits ? decodeSnapshotHeader(await file.read(0, length)) : null
  if (header === null) throw corrupt(`${path}: the header of the snapshot is damaged`)
  if (header.version !== SNAPSHOT_VERSION)
    throw new StorageError(
      'VERSION',
      `${path} has format ${String(header.version)}, this program knows ${String(SNAPSHOT_VERSION)}: use ` +
        (header.version > SNAPSHOT_VERSION ? 'a newer one' : 'the one that wrote it'),
    )
  return header
}

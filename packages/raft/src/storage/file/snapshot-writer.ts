import type { Disk, DiskFile } from '@lab/rpc'
import { crc32 } from '../../crc32.ts'
import { StorageError } from '../../storage.ts'
import type { SnapshotMeta } from '../../types.ts'
import { TEMPORARY_SUFFIX } from './named-file.ts'
import { viewOf } from './format.ts'
import {
  BLOCK_CRC_BYTES,
  SNAPSHOT_BLOCK_BYTES,
  encodeSnapshotHeader,
  encodeSnapshotTrailer,
} from './snapshot-format.ts'

/** Synced as it grows, so that the last sync is short and the log's own never waits behind the whole of it. */
const SYNC_EVERY_BLOCKS = 64

/** Writes a snapshot's file aside, block by block. */
export class SnapshotFileWriter {
  readonly path: string
  readonly #file: DiskFile
  readonly #header: Uint8Array
  /** The block being filled, with room for its checksum. */
  readonly #block = new Uint8Array(SNAPSHOT_BLOCK_BYTES + BLOCK_CRC_BYTES)
  #filled = 0
  #position: number
  #blocks = 0
  #size = 0
  #crc = 0

  private constructor(path: string, file: DiskFile, header: Uint8Array) {
    this.path = path
    this.#file = file
    this.#header = header
    this.#position = header.length
  }

  /** @param path of the snapshot; what is written stands beside it until it is renamed */
  static async create(disk: Disk, snapshot: string, meta: SnapshotMeta): Promise<SnapshotFileWriter> {
    const path = snapshot + TEMPORARY_SUFFIX
    const file = await disk.open(path, { create: true })
    const header = encodeSnapshotHeader(meta)
    try {
      await file.truncate(0)
      await file.write(header, 0)
    } catch (thrown) {
      await file.close()
      throw thrown
    }
    return new SnapshotFileWriter(path, file, header)
  }

  async write(chunk: Uint8Array): Promise<void> {
    this.#crc = crc32(chunk, 0, chunk.length, this.#crc)
    this.#size += chunk.length
    for (let at = 0; at < chunk.length;) {
      const count = Math.min(chunk.length - at, SNAPSHOT_BLOCK_BYTES - this.#filled)
      this.#block.set(chunk.subarray(at, at + count), this.#filled)
      this.#filled += count
      at += count
      if (this.#filled === SNAPSHOT_BLOCK_BYTES) await this.#flush()
    }
  }

  /** Makes the file whole and durable, and closes it. @throws {StorageError} `CORRUPT` when it is not what was `expected` */
  async finish(expected: { readonly size: number; readonly crc: number } | undefined): Promise<void> {
    if (expected !== undefined && (expected.size !== this.#size || expected.crc !== this.#crc))
      throw new StorageError('CORRUPT', 'the snapshot arrived damaged: fetch it again')
    if (this.#filled > 0) await this.#flush()
    const trailer = encodeSnapshotTrailer(this.#header, { size: this.#size, crc: this.#crc })
    await this.#file.write(trailer, this.#position)
    await this.#file.sync()
    await this.#file.close()
  }

  close(): Promise<void> {
    return this.#file.close()
  }

  async #flush(): Promise<void> {
    const end = this.#filled + BLOCK_CRC_BYTES
    viewOf(this.#block).setUint32(this.#filled, crc32(this.#block, 0, this.#filled), true)
    await this.#file.write(this.#block.subarray(0, end), this.#position)
    this.#position += end
    this.#filled = 0
    this.#blocks++
    if (this.#blocks % SYNC_EVERY_BLOCKS === 0) await this.#file.sync()
  }
}

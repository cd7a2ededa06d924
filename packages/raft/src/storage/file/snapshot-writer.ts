import { ByteWriter, type Disk, type DiskFile } from '@lab/rpc'
import { crc32 } from '../../crc32.ts'
import { StorageError } from '../../storage.ts'
import type { SnapshotMeta } from '../../types.ts'
import { TEMPORARY_SUFFIX } from './named-file.ts'
import { SNAPSHOT_BLOCK_BYTES, encodeSnapshotHeader, encodeSnapshotTrailer } from './snapshot-format.ts'

/**
 * Written at once, and durable before the next are: under load each write costs a turn of the event loop, so a snapshot must not take as many
 * as it has blocks; and the log's own writes must never wait behind many.
 */
const BLOCKS_PER_WRITE = 4

/** Writes a snapshot's file aside, block by block, some blocks at once; the next are gathered meanwhile. */
export class SnapshotFileWriter {
  readonly path: string
  readonly #file: DiskFile
  readonly #header: Uint8Array
  /** State; the last block is being filled. A small snapshot never needs a large one. */
  #blocks: Uint8Array = new Uint8Array(SNAPSHOT_BLOCK_BYTES)
  /** Of `#blocks`, all before the block being filled. */
  #ended = 0
  /** Of the block being filled. */
  #filled = 0
  /** The checksums of all blocks before it. */
  readonly #crcs = new ByteWriter(64)
  /** The other of two buffers, whose bytes are on their way to the disk. */
  #spare: Uint8Array | null = null
  #writing: Promise<void> = Promise.resolve()
  #position: number
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
    const file = await disk.open(path, { create: true, durableWrites: true })
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
      this.#blocks.set(chunk.subarray(at, at + count), this.#ended + this.#filled)
      this.#filled += count
      at += count
      if (this.#filled < SNAPSHOT_BLOCK_BYTES) continue
      this.#endBlock()
      if (this.#ended < this.#blocks.length) continue
      await this.#flush()
      this.#gatherAnew()
    }
  }

  /** Makes the file whole and durable, and closes it. @throws {StorageError} `CORRUPT` when it is not what was `expected` */
  async finish(expected: { readonly size: number; readonly crc: number } | undefined): Promise<void> {
    if (expected !== undefined && (expected.size !== this.#size || expected.crc !== this.#crc))
      throw new StorageError('CORRUPT', 'the snapshot arrived damaged: fetch it again')
    if (this.#filled > 0) this.#endBlock()
    await this.#flush()
    await this.#writing
    const crcs = this.#crcs.view()
    const trailer = encodeSnapshotTrailer(this.#header, crcs, { size: this.#size, crc: this.#crc })
    await this.#file.write(
      new ByteWriter(crcs.length + trailer.length).raw(crcs).raw(trailer).view(),
      this.#position,
    )
    await this.#file.close()
  }

  async close(): Promise<void> {
    await this.#writing.catch(() => undefined)
    await this.#file.close()
  }

  #endBlock(): void {
    const end = this.#ended + this.#filled
    this.#crcs.u32(crc32(this.#blocks, this.#ended, end))
    this.#ended = end
    this.#filled = 0
  }

  /** Begins to write what is gathered, once what was gathered before is written. */
  async #flush(): Promise<void> {
    await this.#writing
    const blocks = this.#blocks
    this.#writing = this.#file.write(blocks.subarray(0, this.#ended), this.#position)
    // A failure shows in what is awaited next.
    this.#writing.catch(() => undefined)
    this.#position += this.#ended
  }

  /** The next blocks go where those before are not being written from. A small snapshot never comes here. */
  #gatherAnew(): void {
    const blocks = this.#blocks
    this.#blocks = this.#spare ?? new Uint8Array(BLOCKS_PER_WRITE * SNAPSHOT_BLOCK_BYTES)
    this.#spare = blocks.length === this.#blocks.length ? blocks : null
    this.#ended = 0
  }
}

/**
 * Prepares segments before they are needed. Overwriting zeros needs no new blocks and no change of size, which makes a
 * durable write up to twice as fast as growing a file; so files are filled in the background and old ones used again.
 *
 *     fill `log.tmp` with zeros ───────┐
 *                                      ├─▶ rename to the next number, sync the folder ─▶ ready ─▶ take()
 *     recycle(a segment not needed) ───┘
 */
import type { Disk, DiskFile } from '@lab/rpc'
import { corrupt } from './errors.ts'
import { SEGMENT_BYTES_MIN, segmentName } from './format.ts'
import { TEMPORARY_SUFFIX } from './named-file.ts'
import { removeLarge } from './remove-large.ts'
import { Serial } from './serial.ts'

export const TEMPORARY_SEGMENT = 'log.tmp'
/** Zeros go to the disk in slices, each durable before the next: the log's own writes never wait behind many. */
const SLICE_BYTES_MIN = 128 * 1024
/** Where much is missing: each slice costs a trip to the disk. */
const SLICE_BYTES_MAX = 1024 * 1024

/** A prepared file, open; its writes are durable when they resolve. */
export interface PreparedSegment {
  readonly number: number
  readonly path: string
  readonly allocatedBytes: number
  readonly file: DiskFile
}

export interface SegmentPoolOptions {
  readonly disk: Disk
  readonly directory: string
  readonly segmentBytes: number
  /** More segments than these are removed instead of recycled. */
  readonly sparesMax: number
}

export class SegmentPool {
  readonly #options: SegmentPoolOptions
  /** Prepared and not taken, by number, consecutive. */
  readonly #ready: number[]
  #nextNumber: number
  /** The segment that is being filled with zeros, open, and how many of its bytes are. */
  #filling: { readonly file: DiskFile; bytes: number } | null = null
  /** How many of them should be. */
  #wanted = 0
  #inBackground = false
  /** Who waits for a segment that is not ready. */
  #waiting = 0
  #closed = false
  readonly #serial = new Serial()

  /** @param ready numbers of segments found prepared; `nextNumber` follows them */
  constructor(options: SegmentPoolOptions, ready: readonly number[], nextNumber: number) {
    this.#options = options
    this.#ready = [...ready]
    this.#nextNumber = nextNumber
  }

  /**
   * The next segment. One that is not ready is not filled to its end any more: what is written into the rest takes longer, and a log that
   * waited for the zeros would stand still for as long as a leader may before it loses its office. @throws {DiskError}
   */
  async take(): Promise<PreparedSegment> {
    this.#waiting++
    this.#wanted = this.#options.segmentBytes
    try {
      return await this.#take()
    } finally {
      this.#waiting--
    }
  }

  #take(): Promise<PreparedSegment> {
    return this.#serial.run(async () => {
      if (this.#ready.length === 0) await this.#prepare()
      const number = this.#ready[0] as number
      const path = this.#path(segmentName(number))
      const file = await this.#options.disk.open(path, { durableWrites: true })
      const allocatedBytes = await file.size()
      if (allocatedBytes < SEGMENT_BYTES_MIN) {
        await file.close()
        throw corrupt(`${path} was prepared and has been cut to ${String(allocatedBytes)} bytes`)
      }
      this.#ready.shift()
      return { number, path, allocatedBytes, file }
    })
  }

  /** Makes the first segment of a new folder. @throws {DiskError} */
  prepareFirst(): Promise<void> {
    this.#wanted = this.#options.segmentBytes
    return this.#serial.run(async () => {
      if (this.#ready.length === 0) await this.#prepare()
    })
  }

  /**
   * Unless a segment is ready, has the next one filled as far as this share of it; ready when that is 1. Failure shows when it is needed:
   * space may be free again by then.
   */
  fillInBackground(share: number): void {
    this.#wanted = Math.min(share, 1) * this.#options.segmentBytes
    if (this.#inBackground || this.#ready.length > 0 || this.#sliceBytes() === 0) return
    this.#inBackground = true
    const fill = async (): Promise<void> => {
      try {
        if (this.#ready.length === 0) await this.#prepare()
      } catch {
        // take() tries again and tells.
      } finally {
        this.#inBackground = false
      }
    }
    void this.#serial.run(fill)
  }

  /** Uses the file at `path` again, or removes it; when it resolves, a start finds no segment there. */
  async recycle(path: string): Promise<void> {
    const { disk, directory, sparesMax } = this.#options
    // Cut to pieces under its own name it would pass for a damaged part of the log after a crash.
    const aside = path + TEMPORARY_SUFFIX
    const isSpare = await this.#serial.run(async () => {
      if (this.#ready.length < sparesMax && (await this.#hasUsualSize(path))) {
        await this.#adopt(path)
        return true
      }
      await disk.rename(path, aside)
      await disk.syncDirectory(directory)
      return false
    })
    if (!isSpare) await removeLarge(disk, aside)
  }

  /** Stops preparing and waits for what is under way. */
  async close(): Promise<void> {
    this.#closed = true
    await this.#serial.idle()
    await this.#filling?.file.close()
    this.#filling = null
  }

  /** As far as wanted; the segment is ready when that is to its end. */
  async #prepare(): Promise<void> {
    const { disk } = this.#options
    const path = this.#path(TEMPORARY_SEGMENT)
    try {
      if (await this.#fill(path)) await this.#adopt(path)
    } catch (thrown) {
      await this.#filling?.file.close().catch(() => undefined)
      this.#filling = null
      // The room that it takes is what a full disk lacks. That it cannot be removed is not worth a second error.
      await disk.remove(path).catch(() => undefined)
      throw thrown
    }
  }

  /** False when there is more to be filled later. */
  async #fill(path: string): Promise<boolean> {
    const { disk, segmentBytes } = this.#options
    this.#filling ??= { file: await disk.open(path, { create: true, durableWrites: true }), bytes: 0 }
    const filling = this.#filling
    while (filling.bytes < segmentBytes && this.#waiting === 0) {
      const bytes = this.#sliceBytes()
      if (this.#closed || bytes === 0) return false
      await filling.file.write(new Uint8Array(bytes), filling.bytes)
      filling.bytes += bytes
    }
    if (filling.bytes < segmentBytes) {
      await filling.file.truncate(segmentBytes)
      await filling.file.sync()
    }
    await filling.file.close()
    this.#filling = null
    return true
  }

  /** Of the next slice; 0 when less than one is due. */
  #sliceBytes(): number {
    const filled = this.#filling?.bytes ?? 0
    const left = this.#options.segmentBytes - filled
    const due = Math.min(this.#wanted - filled, left, SLICE_BYTES_MAX)
    return due >= Math.min(SLICE_BYTES_MIN, left) ? Math.floor(due) : 0
  }

  async #adopt(path: string): Promise<void> {
    const { disk, directory } = this.#options
    await disk.rename(path, this.#path(segmentName(this.#nextNumber)))
    await disk.syncDirectory(directory)
    this.#ready.push(this.#nextNumber)
    this.#nextNumber++
  }

  async #hasUsualSize(path: string): Promise<boolean> {
    const file = await this.#options.disk.open(path)
    try {
      return (await file.size()) === this.#options.segmentBytes
    } finally {
      await file.close()
    }
  }

  #path(name: string): string {
    return `${this.#options.directory}/${name}`
  }
}

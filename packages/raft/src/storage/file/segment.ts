import type { Disk, DiskFile } from '@lab/rpc'

export interface SegmentPlace {
  readonly number: number
  readonly path: string
  /** Bytes prepared for batches. A single larger batch makes the file longer. */
  readonly allocatedBytes: number
  /** Carried by its batches. */
  readonly salt: Uint8Array
  /** Where the next batch goes. */
  readonly end: number
}

/** One file of the log. It is open while it is written or read, so that a long log needs no thousand descriptors. */
export class Segment {
  readonly number: number
  readonly path: string
  readonly allocatedBytes: number
  readonly salt: Uint8Array
  /** Where the next batch goes; everything before it is durable. Moved by the log alone. */
  end: number
  readonly #disk: Disk
  #file: Promise<DiskFile> | null = null
  #users = 0
  #whenUnused: (() => void) | null = null

  /** @param file the file when it is open already: then it stays open until {@link release} */
  constructor(disk: Disk, place: SegmentPlace, file: DiskFile | null) {
    this.#disk = disk
    this.number = place.number
    this.path = place.path
    this.allocatedBytes = place.allocatedBytes
    this.salt = place.salt
    this.end = place.end
    if (file === null) return
    this.#file = Promise.resolve(file)
    this.#users = 1
  }

  /** Opens the file for as long as nobody gives it back with {@link release}. Writes to it are durable when they resolve. */
  async acquire(): Promise<DiskFile> {
    this.#users++
    this.#file ??= this.#disk.open(this.path, { durableWrites: true })
    try {
      return await this.#file
    } catch (thrown) {
      this.#file = null
      await this.release()
      throw thrown
    }
  }

  async release(): Promise<void> {
    this.#users--
    if (this.#users > 0) return
    const file = this.#file
    this.#file = null
    await file?.then((open) => open.close())
    this.#whenUnused?.()
  }

  /** Resolves when nobody reads it any more: only then may its file become another segment's. */
  unused(): Promise<void> {
    if (this.#users === 0) return Promise.resolve()
    return new Promise((resolve) => {
      this.#whenUnused = resolve
    })
  }
}

import type { Clock, Timer } from '@lab/rpc'
import type { SnapshotChunk } from '../core/ready.ts'
import { StorageError, type SnapshotWriter, type Storage } from '../storage.ts'
import type { Index } from '../types.ts'

/** A leader asks again after an election timeout: one that has not for so long has given up, or is gone. */
const ABANDONED_MS = 10_000

interface Incoming {
  readonly index: Index
  readonly writer: SnapshotWriter
  /** Bytes written: where the next chunk must begin. */
  offset: number
}

/**
 * Writes the snapshot that a leader sends aside, chunk after chunk. It holds the storage's one place for an unfinished snapshot, so
 * it gives it back when nothing more comes.
 */
export class SnapshotReceiver {
  readonly #clock: Clock
  readonly #storage: Pick<Storage, 'createSnapshot'>
  #incoming: Incoming | null = null
  #abandoned: Timer | null = null
  #waiting: (() => void)[] = []
  /** A chunk is being written, or what the last one completed is being put in force. */
  #working = false

  constructor(clock: Clock, storage: Pick<Storage, 'createSnapshot'>) {
    this.#clock = clock
    this.#storage = storage
  }

  get active(): boolean {
    return this.#incoming !== null || this.#working
  }

  /** Resolves once nothing is being received. */
  async ended(): Promise<void> {
    while (this.active) await new Promise<void>((resolve) => this.#waiting.push(resolve))
  }

  /** @returns false when the chunk does not continue what is here: it must be sent again from the start */
  write(chunk: SnapshotChunk): Promise<boolean> {
    return this.#work(() => this.#write(chunk))
  }

  /**
   * Writes the last chunk, makes the whole durable and the newest, and runs `install` before anybody else may make a snapshot.
   *
   * @returns false when it arrived damaged, and is forgotten
   */
  finish(chunk: SnapshotChunk, install: () => Promise<void>): Promise<boolean> {
    return this.#work(async () => {
      if (!(await this.#write(chunk)) || !(await this.#commit(chunk))) return false
      await install()
      return true
    })
  }

  /** Forgets what came so far. */
  async abort(): Promise<void> {
    await this.#forget()
    this.#wake()
  }

  async #work(job: () => Promise<boolean>): Promise<boolean> {
    this.#working = true
    try {
      return await job()
    } finally {
      this.#working = false
      this.#wake()
    }
  }

  async #write({ meta, offset, data }: SnapshotChunk): Promise<boolean> {
    this.#abandoned?.cancel()
    if (offset === 0) await this.#begin(meta)
    const incoming = this.#incoming
    if (incoming?.index !== meta.index || incoming.offset !== offset) return false
    await incoming.writer.write(data)
    incoming.offset += data.length
    this.#abandoned = this.#clock.setTimer(ABANDONED_MS, () => void this.abort())
    return true
  }

  async #forget(): Promise<void> {
    this.#abandoned?.cancel()
    const incoming = this.#incoming
    this.#incoming = null
    await incoming?.writer.abort().catch(() => undefined)
  }

  async #begin(meta: SnapshotChunk['meta']): Promise<void> {
    await this.#forget()
    this.#incoming = { index: meta.index, writer: await this.#storage.createSnapshot(meta), offset: 0 }
  }

  async #commit({ size, crc }: SnapshotChunk): Promise<boolean> {
    this.#abandoned?.cancel()
    const incoming = this.#incoming
    this.#incoming = null
    try {
      await incoming?.writer.commit({ size, crc })
      return true
    } catch (thrown) {
      if (thrown instanceof StorageError && thrown.code === 'CORRUPT') return false
      throw thrown
    }
  }

  #wake(): void {
    if (this.active) return
    for (const resolve of this.#waiting.splice(0)) resolve()
  }
}

/** The log on disk, being written: batches into the active segment, and a new segment when it is full. */
import type { Disk, DiskFile, Random } from '@lab/rpc'
import type { Entry } from '../../entry.ts'
import { type StorageError, type StorageWrite } from '../../storage.ts'
import type { Index } from '../../types.ts'
import { entriesToAppend } from '../entries-to-append.ts'
import type { LogStart } from '../term-runs.ts'
import { BatchWriter, batchBytesMax, type BatchContent, type EncodedBatch } from './batch-writer.ts'
import { storageError, withStorageErrors } from './errors.ts'
import { FORMAT_VERSION, SALT_BYTES } from './format.ts'
import { readEntries } from './read-entries.ts'
import type { LogState } from './replay.ts'
import { Segment } from './segment.ts'
import type { SegmentPool } from './segment-pool.ts'
import { Serial } from './serial.ts'

export interface FileLogParts {
  readonly disk: Disk
  readonly random: Random
  readonly pool: SegmentPool
  readonly state: LogState
  /** In order; the last is written on. */
  readonly segments: readonly Segment[]
}

type Content = Pick<BatchContent, 'hardState' | 'logStart' | 'entries'>

export class FileLog {
  readonly #disk: Disk
  readonly #random: Random
  readonly #pool: SegmentPool
  readonly #state: LogState
  readonly #segments: Segment[]
  /** Of the last segment, open for writing. */
  #file: DiskFile | null = null
  readonly #batch = new BatchWriter()
  readonly #writes = new Serial()
  readonly #trims = new Serial()
  /** A failed write leaves the disk in a state that nobody knows; what follows could be acknowledged and lost. */
  #failure: StorageError | null = null

  constructor(parts: FileLogParts) {
    this.#disk = parts.disk
    this.#random = parts.random
    this.#pool = parts.pool
    this.#state = parts.state
    this.#segments = [...parts.segments]
  }

  get state(): LogState {
    return this.#state
  }

  /** Makes the last segment ready for writing. */
  async start(): Promise<void> {
    this.#file = (await this.#segments.at(-1)?.acquire()) ?? null
  }

  write({ entries, hardState }: StorageWrite): Promise<void> {
    return this.#writes.run(async () => {
      const { terms } = this.#state
      const appended = entriesToAppend(entries, terms)
      const [first] = appended
      if (first === undefined && hardState === null) return
      const replaces = first !== undefined && first.index <= terms.lastIndex
      const logStart = replaces ? this.#before(first.index) : null
      await this.#writeBatch({ hardState, logStart, entries: appended })
    })
  }

  /** A snapshot was committed. Entries after it stay when the log holds its last entry, else all are dropped (§7). */
  async adopt({ index, term }: LogStart): Promise<void> {
    await this.#writes.run(async () => {
      if (this.#state.terms.holds(index, term)) return
      const start = { index, term }
      await this.#writeBatch({ hardState: null, logStart: start, entries: [] })
      this.#state.restart(start)
    })
    await this.#trim()
  }

  async compact(index: Index): Promise<void> {
    this.checkSound()
    if (index <= this.#state.terms.start.index) return
    this.#state.removeTo(index)
    await this.#trim()
  }

  read(first: Index, last: Index, bytesMax: number): Promise<readonly Entry[]> {
    return withStorageErrors(() =>
      readEntries({ state: this.#state, segments: this.#segments }, first, last, bytesMax),
    )
  }

  /** @throws {StorageError} the failure of an earlier write */
  checkSound(): void {
    if (this.#failure !== null) throw this.#failure
  }

  /** Refuses every further write, as after a failed one. */
  fail(thrown: unknown): StorageError {
    this.#failure ??= storageError(thrown)
    return this.#failure
  }

  /** Waits for what is under way. */
  async close(): Promise<void> {
    await this.#writes.idle()
    await this.#trims.idle()
    await this.#pool.close()
    if (this.#file !== null) await this.#segments.at(-1)?.release()
    this.#file = null
  }

  async #writeBatch(content: Content): Promise<void> {
    this.checkSound()
    try {
      const active = this.#segments.at(-1)
      const bytes = batchBytesMax(content.entries, content.hardState)
      const file = this.#file
      if (active !== undefined && file !== null && active.end + bytes <= active.allocatedBytes)
        await this.#continueSegment(active, file, content)
      else await this.#beginSegment(content)
    } catch (thrown) {
      throw this.fail(thrown)
    }
  }

  async #continueSegment(segment: Segment, file: DiskFile, content: Content): Promise<void> {
    const encoded = this.#batch.encode({
      ...content,
      sequence: this.#state.sequence + 1,
      salt: segment.salt,
      segment: null,
    })
    await file.write(encoded.bytes, segment.end)
    this.#written(segment, encoded, content)
    // Early enough that the next one is ready when this one is full; late enough that an idle server needs no second.
    if (segment.end > segment.allocatedBytes / 4) this.#pool.prepareInBackground()
  }

  /**
   * Each segment begins with term, vote and its place in the log, so that those before it can go. A batch that is larger
   * than a segment goes into one of its own, which it makes longer; it is atomic like any other.
   */
  async #beginSegment(content: Content): Promise<void> {
    const { file, ...prepared } = await this.#pool.take()
    const place = { ...prepared, salt: this.#random.bytes(SALT_BYTES), end: 0 }
    const sequence = this.#state.sequence + 1
    const whole = {
      entries: content.entries,
      hardState: content.hardState ?? this.#state.hardState,
      logStart: content.logStart ?? this.#before(this.#state.terms.lastIndex + 1),
    }
    const encoded = this.#batch.encode({
      ...whole,
      sequence,
      salt: place.salt,
      segment: { ...place, version: FORMAT_VERSION, firstSequence: sequence },
    })
    const before = this.#segments.at(-1)
    const segment = new Segment(this.#disk, place, file)
    try {
      await file.write(encoded.bytes, 0)
    } catch (thrown) {
      await segment.release()
      throw thrown
    }
    this.#segments.push(segment)
    this.#file = file
    this.#written(segment, encoded, whole)
    await before?.release()
  }

  /** What is durable counts from here. */
  #written(segment: Segment, { bytes, entriesAt }: EncodedBatch, content: Content): void {
    const state = this.#state
    let position = segment.end + entriesAt
    for (const entry of content.entries) {
      state.put(entry, segment.number, position)
      position += entry.end - entry.start
    }
    state.sequence++
    if (content.hardState !== null) state.hardState = content.hardState
    segment.end += bytes.length
  }

  #before(index: Index): LogStart {
    const term = this.#state.terms.termAt(index - 1)
    if (term === null) throw new Error(`bug: entry ${String(index - 1)} should be in the log`)
    return { index: index - 1, term }
  }

  /** Gives away segments whose entries are all forgotten, the oldest first, so that a crash leaves no gap. */
  #trim(): Promise<void> {
    return this.#trims.run(() =>
      withStorageErrors(async () => {
        for (;;) {
          const [oldest] = this.#segments
          const active = this.#segments.at(-1)
          if (oldest === undefined || active === undefined || oldest === active) return
          const needed = this.#state.positions.at(0)?.segment ?? active.number
          if (oldest.number >= needed) return
          await oldest.unused()
          await this.#pool.recycle(oldest.path)
          this.#segments.shift()
        }
      }),
    )
  }
}

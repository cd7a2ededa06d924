/**
 * The log of all groups of a process, being written: batches into the active segment, and a new segment when it is full.
 * One batch is in flight; what the groups write meanwhile makes the next, so that one sync serves them all.
 *
 *     group 0 ─┐              ┌─ batch 41: groups 0, 2 ─▶ disk ─▶ both resolve
 *     group 1 ─┼─▶ waiting ───┤
 *     group 2 ─┘              └─ batch 42: whatever came meanwhile
 */
import type { Disk, DiskFile, Random } from '@lab/rpc'
import type { StorageError, StorageFailed } from '../../storage.ts'
import {
  BatchWriter,
  partBytesMax,
  BATCH_OVERHEAD_BYTES,
  type BatchPart,
  type EncodedBatch,
} from './batch-writer.ts'
import { storageError } from './errors.ts'
import { FORMAT_VERSION, SALT_BYTES, sectorEnd } from './format.ts'
import { GroupLog } from './group-log.ts'
import { LogState } from './log-state.ts'
import { Growth } from './pace.ts'
import { relieve } from './relieve.ts'
import { Segment } from './segment.ts'
import type { SegmentPool } from './segment-pool.ts'
import { Serial } from './serial.ts'

export interface SharedLogParts {
  readonly disk: Disk
  readonly random: Random
  readonly pool: SegmentPool
  /** Of each group found. */
  readonly states: ReadonlyMap<number, LogState>
  /** Of the last batch; 0 before the first. */
  readonly sequence: number
  /** In order; the last is written on. */
  readonly segments: readonly Segment[]
  /** As in `Storage.open`. */
  readonly onFailed: StorageFailed
}

/** Called when a part is durable, before any later batch is made, with the place of its first entry. */
export type Written = (segment: number, position: number) => void

interface Waiting {
  readonly part: BatchPart
  /** An upper bound of what it takes in its batch. */
  readonly bytes: number
  /** How much of that the log did not hold before. */
  readonly growth: number
  readonly written: Written
  readonly resolve: () => void
  readonly reject: (error: unknown) => void
}

/** So much waits for one write at most, unless one group writes more; the rest goes into the next. */
const BATCH_BYTES = 4 * 1024 * 1024

export class SharedLog {
  /** With what copies of it keep pace. */
  readonly growth = new Growth()
  readonly #disk: Disk
  readonly #random: Random
  readonly #pool: SegmentPool
  readonly #segments: Segment[]
  readonly #groups = new Map<number, GroupLog>()
  /** Groups whose removal is on disk and whose other files may still be there: where that is said must stay. */
  readonly #removing = new Map<number, number>()
  #sequence: number
  /** Of the last segment, open for writing. */
  #file: DiskFile | null = null
  readonly #batch = new BatchWriter()
  /** In the order in which they came. */
  #waiting: Waiting[] = []
  #writing: Promise<void> | null = null
  readonly #trims = new Serial()
  #relieving: Promise<void> | null = null
  #closing = false
  /** A failed write leaves the disk in a state that nobody knows; what follows could be acknowledged and lost. */
  #failure: StorageError | null = null
  readonly #onFailed: StorageFailed

  constructor(parts: SharedLogParts) {
    this.#disk = parts.disk
    this.#random = parts.random
    this.#pool = parts.pool
    this.#onFailed = parts.onFailed
    this.#sequence = parts.sequence
    this.#segments = [...parts.segments]
    for (const [group, state] of parts.states) this.#groups.set(group, new GroupLog(group, state, this))
  }

  get segments(): readonly Segment[] {
    return this.#segments
  }

  /** Its log, empty when there is none. */
  group(group: number): GroupLog {
    const known = this.#groups.get(group)
    if (known !== undefined) return known
    const made = new GroupLog(group, new LogState(), this)
    this.#groups.set(group, made)
    return made
  }

  /** Numbers of the groups of which anything was written, ascending. */
  get groups(): number[] {
    const written = [...this.#groups.values()].filter(({ state }) => state.written)
    return written.map(({ group }) => group).sort((a, b) => a - b)
  }

  /** Makes the last segment ready for writing. */
  async start(): Promise<void> {
    this.#file = (await this.#segments.at(-1)?.acquire()) ?? null
    // The last batch may be in the system's cache only: a process killed in the middle of a write leaves it there.
    await this.#file?.sync()
  }

  /** Resolves when the part is durable, together with whatever else is written with it. A group has one under way at a time. A copy is no growth. */
  append(part: BatchPart, written: Written, { isCopy = false } = {}): Promise<void> {
    return new Promise((resolve, reject) => {
      const bytes = partBytesMax(part)
      this.#waiting.push({ part, bytes, growth: isCopy ? 0 : bytes, written, resolve, reject })
      this.#writing ??= this.#writeAll()
    })
  }

  /** The removal of `group` stands in `segment`, which must stay until {@link forgotten}. */
  forget(group: number, segment: number): void {
    this.#groups.delete(group)
    this.#removing.set(group, segment)
  }

  /** Nothing of the group is left on disk. */
  async forgotten(group: number): Promise<void> {
    this.#removing.delete(group)
    await this.trim()
  }

  /** @throws {StorageError} the failure of an earlier write */
  checkSound(): void {
    if (this.#failure !== null) throw this.#failure
  }

  /** Refuses every further write, as after a failed one. */
  fail(thrown: unknown): StorageError {
    if (this.#failure !== null) return this.#failure
    const failure = storageError(thrown)
    this.#failure = failure
    this.growth.end()
    this.#onFailed(failure)
    return failure
  }

  /** What is not needed now need not be done any more. */
  get closing(): boolean {
    return this.#closing
  }

  /** Waits for what is under way. */
  async close(): Promise<void> {
    this.#closing = true
    this.growth.end()
    for (const group of this.#groups.values()) await group.idle()
    await this.#relieving
    await this.#writing
    await this.#trims.idle()
    await this.#pool.close()
    if (this.#file !== null) await this.#segments.at(-1)?.release()
    this.#file = null
  }

  /** Gives away segments whose entries are all forgotten, the oldest first, so that a crash leaves no gap. */
  trim(): Promise<void> {
    return this.#trims.run(async () => {
      try {
        await this.#trim()
      } catch (thrown) {
        // What the folder holds is as unknown as what a file does whose sync failed.
        throw this.fail(thrown)
      }
    })
  }

  async #trim(): Promise<void> {
    for (;;) {
      const [oldest] = this.#segments
      const active = this.#segments.at(-1)
      if (oldest === undefined || active === undefined || oldest === active) return
      if (oldest.number >= this.#firstNeeded(active.number)) return
      await oldest.unused()
      await this.#pool.recycle(oldest.path)
      this.#segments.shift()
    }
  }

  #firstNeeded(active: number): number {
    let needed = active
    for (const { state } of this.#groups.values())
      needed = Math.min(needed, state.positions.at(0)?.segment ?? active)
    for (const segment of this.#removing.values()) needed = Math.min(needed, segment)
    return needed
  }

  async #writeAll(): Promise<void> {
    // What is written in this turn of the event loop goes together.
    await Promise.resolve()
    while (this.#waiting.length > 0) {
      const batch = this.#nextBatch()
      try {
        this.checkSound()
        await this.#writeBatch(batch)
      } catch (thrown) {
        const failure = this.fail(thrown)
        for (const { reject } of batch) reject(failure)
        continue
      }
      for (const { resolve } of batch) resolve()
    }
    this.#writing = null
  }

  #nextBatch(): Waiting[] {
    let bytes = 0
    let count = 0
    for (const waiting of this.#waiting) {
      bytes += waiting.bytes
      if (count > 0 && bytes > BATCH_BYTES) break
      count++
    }
    return this.#waiting.splice(0, count)
  }

  /** No async function, nor is the next: each would cost a lone write as much as encoding it. */
  #writeBatch(batch: readonly Waiting[]): Promise<void> {
    const active = this.#segments.at(-1)
    const file = this.#file
    const parts = batch.map(({ part }) => part)
    const bytes = sectorEnd(batch.reduce((sum, waiting) => sum + waiting.bytes, BATCH_OVERHEAD_BYTES))
    if (active !== undefined && file !== null && active.end + bytes <= active.allocatedBytes)
      return this.#continueSegment(active, file, batch, parts)
    return this.#beginSegment(batch, parts)
  }

  #continueSegment(
    segment: Segment,
    file: DiskFile,
    batch: readonly Waiting[],
    parts: readonly BatchPart[],
  ): Promise<void> {
    const encoded = this.#batch.encode({
      parts,
      sequence: this.#sequence + 1,
      salt: segment.salt,
      segment: null,
    })
    return file.write(encoded.bytes, segment.end).then(() => {
      this.#written(segment, encoded, batch)
      this.#pool.fillInBackground(shareOfNext(segment))
    })
  }

  /**
   * Each segment begins with term, vote and place in the log of every group, so that those before it can go. A batch that is
   * larger than a segment goes into one of its own, which it makes longer; it is atomic like any other.
   */
  async #beginSegment(batch: readonly Waiting[], parts: readonly BatchPart[]): Promise<void> {
    const { number, path, allocatedBytes, file } = await this.#pool.take()
    const salt = this.#random.bytes(SALT_BYTES)
    const sequence = this.#sequence + 1
    const encoded = this.#batch.encode({
      parts: [...parts.map((part) => this.#whole(part)), ...this.#standing(parts)],
      sequence,
      salt,
      segment: { version: FORMAT_VERSION, number, firstSequence: sequence, allocatedBytes, salt },
    })
    const before = this.#segments.at(-1)
    const segment = new Segment(this.#disk, { number, path, allocatedBytes, salt, end: 0 }, file)
    try {
      await file.write(encoded.bytes, 0)
    } catch (thrown) {
      await segment.release()
      throw thrown
    }
    this.#segments.push(segment)
    this.#file = file
    this.#written(segment, encoded, batch)
    await before?.release()
    this.#relieving ??= this.#relieve()
  }

  /** With term and vote, and with the place of its entries. */
  #whole(part: BatchPart): BatchPart {
    if (part.removed) return part
    const { state } = this.group(part.group)
    return {
      ...part,
      hardState: part.hardState ?? state.hardState,
      logStart: part.logStart ?? { index: state.terms.lastIndex, term: state.terms.lastTerm },
    }
  }

  /** Where the groups stand that write nothing now. */
  #standing(parts: readonly BatchPart[]): BatchPart[] {
    const writing = new Set(parts.map(({ group }) => group))
    const quiet = [...this.#groups.values()].filter(
      ({ group, state }) => state.written && !writing.has(group),
    )
    return quiet.map(({ group }) =>
      this.#whole({ group, removed: false, hardState: null, logStart: null, entries: [] }),
    )
  }

  /** What is durable counts from here. */
  #written(segment: Segment, { bytes, entriesAt }: EncodedBatch, batch: readonly Waiting[]): void {
    this.#sequence++
    for (const [i, { part, growth, written }] of batch.entries()) {
      this.growth.add(growth)
      const log = this.#groups.get(part.group)
      if (log !== undefined) log.state.written = true
      written(segment.number, segment.end + (entriesAt[i] ?? 0))
    }
    segment.end += bytes.length
  }

  async #relieve(): Promise<void> {
    try {
      await relieve({ log: this, groups: this.#groups })
    } catch (thrown) {
      // Entries that cannot be read back: a start would refuse them too.
      this.fail(thrown)
    } finally {
      this.#relieving = null
    }
  }
}

/**
 * How much of the next segment should be prepared: nothing while a quarter of this one is used, as an idle server needs no second; then
 * two bytes for each that is written, so that zeros never fill the disk's queue and all is ready in time.
 */
function shareOfNext({ end, allocatedBytes }: Segment): number {
  return (2 * end) / allocatedBytes - 0.5
}

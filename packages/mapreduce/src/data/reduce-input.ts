/** All segments of one partition as one run, in bounded memory: too many for one merge are merged in several passes. */
import { BlockReader } from './block-reader.ts'
import type { TaskFile, TaskFiles } from './files.ts'
import { MergedRuns } from './merge.ts'
import { SegmentReader, type SortedRun } from './segment-reader.ts'
import { SegmentWriter } from './segment-writer.ts'
import { BLOCK_BYTES, type Segment } from './spill-format.ts'

/** Runs that are open at a time, at most. */
const FAN_IN_MAX = 64

/** A segment, and the file that holds it: the map task's own, or a copy that was fetched. */
export interface SegmentSource {
  readonly path: string
  readonly segment: Segment
  /** Opens what is at no path. */
  readonly open?: () => TaskFile
}

export interface ReduceInputOptions {
  readonly files: TaskFiles
  /** In the order of the map tasks, and of their spills: the order of values follows from it. */
  readonly sources: readonly SegmentSource[]
  /** For intermediate merges: `scratch` followed by a number. */
  readonly scratch: string
  /** Memory for blocks of the runs. */
  readonly budgetBytes: number
}

/** The pairs of a partition. Files are open until {@link close}. */
export class ReduceInput {
  readonly #left: readonly SegmentSource[]
  readonly #files: TaskFiles
  readonly #open = new Map<string, TaskFile>()
  readonly #scratch: string[] = []

  /** @throws {DiskError} `NOT_FOUND` for a source that is gone @throws {DataError} `SPILL_CORRUPT` */
  constructor({ files, sources, scratch, budgetBytes }: ReduceInputOptions) {
    this.#files = files
    const fanIn = Math.max(2, Math.min(FAN_IN_MAX, Math.floor(budgetBytes / (2 * BLOCK_BYTES))))
    try {
      let left = sources.filter(({ segment }) => segment.records > 0)
      while (left.length > fanIn) left = this.#pass(left, fanIn, scratch)
      this.#left = left
    } catch (error) {
      this.close()
      throw error
    }
  }

  /** All pairs, to be gone through once. */
  get run(): SortedRun {
    return this.#merge(this.#left)
  }

  /** The runs that {@link run} merges, block by block, for who merges them himself. */
  blocks(): BlockReader[] {
    return this.#left.map((source) => new BlockReader(this.#opened(source), source.segment))
  }

  /** Closes all files, and removes those of intermediate merges. */
  close(): void {
    for (const file of this.#open.values()) file.close()
    this.#open.clear()
    for (const path of this.#scratch) this.#files.remove(path)
  }

  /** Neighbours are merged with each other, so that equal keys stay in the order of the sources. */
  #pass(sources: readonly SegmentSource[], fanIn: number, scratch: string): SegmentSource[] {
    const path = `${scratch}${this.#scratch.length}`
    const file = this.#files.create(path)
    this.#scratch.push(path)
    this.#open.set(path, file)
    const writer = new SegmentWriter(file)
    const merged: SegmentSource[] = []
    for (let at = 0; at < sources.length; at += fanIn) {
      const run = this.#merge(sources.slice(at, at + fanIn))
      while (run.next()) writer.pair(run.bytes, run.pair.start, run.pair.end)
      merged.push({ path, segment: writer.endSegment() })
      this.#closeAllBut(path)
    }
    writer.finish()
    return merged
  }

  #merge(sources: readonly SegmentSource[]): SortedRun {
    const runs = sources.map((source) => new SegmentReader(this.#opened(source), source.segment))
    return runs.length === 1 ? (runs[0] as SegmentReader) : new MergedRuns(runs)
  }

  #opened({ path, open: openIt }: SegmentSource): TaskFile {
    const open = this.#open.get(path) ?? openIt?.() ?? this.#files.open(path)
    this.#open.set(path, open)
    return open
  }

  #closeAllBut(kept: string): void {
    for (const [path, file] of this.#open) {
      if (path === kept) continue
      file.close()
      this.#open.delete(path)
    }
  }
}

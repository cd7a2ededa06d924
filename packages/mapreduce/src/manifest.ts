/** `_SUCCESS.json`: written last. Where it stands, the output is whole; where it does not, there is none. */
import type { BadRecord, Counters, FileSummary } from './core/task.ts'

export const MANIFEST = '_SUCCESS.json'
/** What stands in the output folder while the job runs; files of attempts that lost never leave it. */
export const ATTEMPTS = '_attempt'

export interface Manifest {
  readonly version: 1
  readonly job: string
  /** The hash of the module that made it. */
  readonly build: string
  readonly parameters: Readonly<Record<string, string>>
  /** In the order of partitions. */
  readonly parts: readonly FileSummary[]
  /** What tasks wrote by `context.sideFile`, by name. */
  readonly sideFiles: readonly FileSummary[]
  /** Are the keys of each part in bytewise order, so that merging gives all of them in order? */
  readonly isSorted: boolean
  readonly counters: Counters
  readonly skipped: readonly BadRecord[]
}

/** `part-00003`. */
export function partName(partition: number): string {
  return `part-${String(partition).padStart(5, '0')}`
}

/** One attempt as it is handed to whoever executes it: plain data, so that it can go to another thread. */
import type { Segment } from '../data/spill-format.ts'
import type { AttemptId, BadRecord } from '../core/task.ts'
import type { Split } from '../formats.ts'

export interface MapWork extends Common {
  readonly kind: 'map'
  readonly splits: readonly Split[]
  /** The file to leave the output in. */
  readonly outputPath: string
}

export interface ReduceWork extends Common {
  readonly kind: 'reduce'
  /** One for each map, in the order of maps. */
  readonly sources: readonly MapSource[]
  /** For merges of more runs than can be open at a time. */
  readonly scratchPath: string
}

export type Work = MapWork | ReduceWork

interface Common {
  readonly attempt: AttemptId
  readonly parameters: Readonly<Record<string, string>>
  readonly reduces: number
  /** What the job's kernel drew from the input. */
  readonly plan: string
  readonly budgetBytes: number
  readonly seed: number
  readonly skip: readonly BadRecord[]
  readonly skipMax: number
  /** What the paths of output files begin with: they end with the file's own name. */
  readonly filesPath: string
}

/** Where the output of one map is to be read. */
export interface MapSource {
  readonly map: number
  readonly attempt: number
  readonly worker: string
  readonly path: string
  /** Of this partition, when `path` is a copy that holds nothing else; else they stand in the file's own index. */
  readonly segments: readonly Segment[] | null
  /** Of the worker that has them, when they are in no file here: they are read as they are needed, and `path` is only a name. */
  readonly address?: string
}

/** Of a map output of another worker, in one message. */
export const FETCH_BYTES_MAX = 240 * 1024

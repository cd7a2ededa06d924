/** What a worker process and its task threads say to each other. */
import type { AttemptFailure, AttemptResult, FetchFailure } from '../core/task.ts'
import type { Work } from '../task/work.ts'

export interface ThreadData {
  /** URL of the job's module. */
  readonly module: string
  readonly progress: SharedArrayBuffer
}

export type ToThread =
  | { readonly type: 'work'; readonly work: Work }
  | { readonly type: 'cancel' }
  | {
      readonly type: 'bytes'
      readonly read: number
      readonly bytes: Uint8Array | null
      readonly error: string
    }

export type FromThread =
  /** The module is loaded, or could not be. */
  | { readonly type: 'ready'; readonly error: string | null }
  | { readonly type: 'done'; readonly result: AttemptResult }
  | { readonly type: 'failed'; readonly failure: AttemptFailure }
  | { readonly type: 'unfetched'; readonly failures: readonly FetchFailure[] }
  | { readonly type: 'status'; readonly text: string }
  | {
      readonly type: 'read'
      readonly read: number
      readonly file: string
      readonly position: number
      readonly length: number
    }

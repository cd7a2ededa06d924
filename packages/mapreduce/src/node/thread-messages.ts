/** What a worker process and its task threads say to each other. */
import type { AttemptFailure, AttemptResult, FetchFailure } from '../core/task.ts'
import type { Work } from '../task/work.ts'

export interface ThreadData {
  /** URL of the job's module. */
  readonly module: string
  readonly progress: SharedArrayBuffer
}

/** The text of a value that is plain data. */
export type Json<T> = string & { readonly of?: T }

export function toJson<T>(value: T): Json<T> {
  return JSON.stringify(value)
}

export function fromJson<T>(text: Json<T>): T {
  return JSON.parse(text) as T
}

/** An attempt, by its number on its thread, from 1. */
export interface NumberedWork {
  readonly number: number
  readonly work: Work
}

export type ToThread =
  /**
   * To be made one after the other: a message for each would cost more than many a task does. As JSON, which takes half as
   * long as cloning.
   */
  | { readonly type: 'work'; readonly works: Json<readonly NumberedWork[]> }
  | { readonly type: 'cancel'; readonly number: number }
  | {
      readonly type: 'bytes'
      readonly read: number
      readonly bytes: Uint8Array | null
      readonly error: string
    }

/** How an attempt ended: each that was given is told, once. */
export interface EndedWork {
  readonly number: number
  /** Without what it waited for those before it. */
  readonly elapsedMs: number
  readonly end:
    | { readonly type: 'done'; readonly result: AttemptResult }
    | { readonly type: 'failed'; readonly failure: AttemptFailure }
    | { readonly type: 'unfetched'; readonly failures: readonly FetchFailure[] }
    /** Nobody wanted it before it began. */
    | { readonly type: 'cancelled' }
}

export type FromThread =
  /** The module is loaded, or could not be. */
  | { readonly type: 'ready'; readonly error: string | null }
  | { readonly type: 'ended'; readonly works: Json<readonly EndedWork[]> }
  | { readonly type: 'status'; readonly number: number; readonly text: string }
  | {
      readonly type: 'read'
      readonly number: number
      readonly read: number
      readonly file: string
      readonly position: number
      readonly length: number
    }
  | {
      readonly type: 'fetch'
      readonly number: number
      /** Among the attempt's. */
      readonly source: number
      readonly position: number
      readonly length: number
      /** Of a `Window`. */
      readonly into: SharedArrayBuffer
    }

import type { Milliseconds } from '@lab/rpc'
import type { AttemptResult } from '../core/task.ts'
import type { JobSpec } from '../protocol.ts'
import type { MapSource, Work } from '../task/work.ts'

/** How far an attempt is, while it is made. */
export interface ExecutionProgress {
  readonly fraction: number
  readonly records: number
  readonly status: string
  /** Has it not begun, because others are made before it? */
  readonly isWaiting?: boolean
  /** How long it took, when it has ended and had waited for others before it. */
  readonly elapsedMs?: Milliseconds | undefined
}

/** An attempt in the making. */
export interface Execution {
  /** @throws {TaskFailed} or {@link FetchFailed}; anything after {@link cancel} */
  readonly result: Promise<AttemptResult>
  progress(): ExecutionProgress
  /** Ends it soon, whatever it does. */
  cancel(): void
}

/** Reads what cannot be opened here. */
export interface ReadThere {
  /** From a file of the input. */
  readonly input: (file: string, position: number, length: number) => Promise<Uint8Array>
  /** From a map output of another worker. */
  readonly output: (source: MapSource, position: number, length: number) => Promise<Uint8Array>
}

/** Where attempts are made: in threads, in this one, or in virtual time. */
export interface Executor {
  /**
   * Gets ready to run this job.
   *
   * @throws {JobError} `OTHER_BUILD` when the module here is not the coordinator's, `BAD_JOB` when it exports no job
   */
  prepare(job: JobSpec): Promise<void>
  /** May it be given more attempts than are made at a time? They are made in order, and cost less so. Default false. */
  readonly queues?: boolean
  /** Can attempts wait for map outputs as they read them? Else these are copied before. Default false. */
  readonly waits?: boolean
  execute(work: Work, read: ReadThere): Execution
  close(): Promise<void>
}

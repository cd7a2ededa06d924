/** What the schedule is told, and what it decides. */
import type { Milliseconds } from '@lab/rpc'
import type { Fact } from './facts.ts'
import type { State } from './state.ts'
import type {
  AttemptFailure,
  AttemptId,
  AttemptProgress,
  AttemptResult,
  BadRecord,
  FetchFailure,
  TaskKind,
  WorkerId,
} from './task.ts'

/** One thing that happened. */
export type Input =
  /** A worker is there, for the first time or again: with map outputs that it holds, and attempts that it is making. */
  | {
      readonly type: 'register'
      readonly worker: WorkerId
      readonly slots: number
      /** Do others see the folder of its map outputs? Then they outlive it. Default false. */
      readonly keepsOutputs?: boolean
      readonly outputs: readonly (AttemptId & { readonly result: AttemptResult })[]
      readonly running: readonly AttemptId[]
    }
  /** A worker takes tasks from now on, one for each free slot. What was assigned to it before and is not among `running` never reached it. */
  | { readonly type: 'ask'; readonly worker: WorkerId; readonly running: readonly AttemptId[] }
  | { readonly type: 'beat'; readonly worker: WorkerId; readonly progress: readonly AttemptProgress[] }
  | {
      readonly type: 'done'
      readonly attempt: AttemptId
      readonly result: AttemptResult
      /** On its worker, without what it waited there. Default: since it was assigned. */
      readonly elapsedMs?: Milliseconds
    }
  | { readonly type: 'failed'; readonly attempt: AttemptId; readonly failure: AttemptFailure }
  | {
      readonly type: 'fetch-failed'
      readonly attempt: AttemptId
      readonly failures: readonly FetchFailure[]
    }
  /** Its connection broke: it may come back, within the grace. */
  | { readonly type: 'disconnected'; readonly worker: WorkerId }
  /** It said that it goes. */
  | { readonly type: 'left'; readonly worker: WorkerId }
  /** The time that {@link Schedule.deadline} named has come. */
  | { readonly type: 'deadline' }

/** Work for the coordinator, in the order in which it was decided. */
export type Decision =
  | {
      readonly type: 'assign'
      readonly attempt: AttemptId
      readonly isBackup: boolean
      readonly skip: readonly BadRecord[]
      /** How many bad records this attempt may leave out before it fails. */
      readonly skipMax: number
    }
  /** Nobody wants this attempt's result any more. */
  | { readonly type: 'cancel'; readonly attempt: AttemptId }
  | { readonly type: 'fact'; readonly fact: Fact }
  | { readonly type: 'transition'; readonly transition: Transition }
  /** An attempt failed, in words for people; the task may yet succeed. */
  | ({ readonly type: 'failure' } & JobFailure)
  /** This worker's word counts no more until it registers again. */
  | { readonly type: 'expel'; readonly worker: WorkerId; readonly why: string }
  | { readonly type: 'over'; readonly failure: JobFailure | null }

/** A task or an attempt changed, for the trace and for people. */
export interface Transition {
  readonly kind: TaskKind
  readonly task: number
  /** 0 and '' when it is about the task and no attempt. */
  readonly attempt: number
  readonly worker: WorkerId
  readonly to: Task['state']
  readonly why: string
}
type Task = State['maps'][number]

export interface JobFailure {
  readonly attempt: AttemptId
  readonly failure: AttemptFailure
}

/** One call of the schedule: what is known, when it is, and where decisions go. */
export interface Turn {
  readonly state: State
  readonly now: Milliseconds
  readonly decide: (decision: Decision) => void
}

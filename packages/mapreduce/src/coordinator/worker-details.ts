import type { AttemptId } from '../core/task.ts'
import type { Probe } from '../protocol.ts'

/** What the coordinator knows of a worker beside what the schedule does. */
export interface WorkerDetails {
  readonly host: string
  readonly pid: number
  readonly slots: number
  readonly address: string
  readonly probe: Probe
  /** The latest poll: an earlier one that comes late is not answered with work. */
  lastPoll: number
  /** Attempts that it is to stop, to be told with the next report. */
  cancel: AttemptId[]
}

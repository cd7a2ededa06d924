import type { AttemptFailure, FetchFailure } from '../core/task.ts'

/** Thrown out of an attempt that came to nothing, with what the coordinator is to be told. */
export class TaskFailed extends Error {
  override readonly name = 'TaskFailed'
  readonly failure: AttemptFailure
  constructor(failure: AttemptFailure, options?: ErrorOptions) {
    super(failure.message, options)
    this.failure = failure
  }
}

/** Thrown out of a reduce attempt that could not get all map outputs. */
export class FetchFailed extends Error {
  override readonly name = 'FetchFailed'
  readonly failures: readonly FetchFailure[]
  constructor(failures: readonly FetchFailure[]) {
    super(failures.map(({ why }) => why).join('; '))
    this.failures = failures
  }
}

/** What the coordinator is to be told, kept until it has said that it heard. */
import type { AttemptFailure, AttemptId, FetchFailure } from '../core/task.ts'
import type { DoneAttempt, ReportRequest } from '../protocol.ts'

type Told = Pick<ReportRequest, 'done' | 'failed' | 'unfetched'>

export class Reports {
  readonly #done: DoneAttempt[] = []
  readonly #failed: { attempt: AttemptId; failure: AttemptFailure }[] = []
  readonly #unfetched: { attempt: AttemptId; failures: readonly FetchFailure[] }[] = []

  get isEmpty(): boolean {
    return this.#done.length + this.#failed.length + this.#unfetched.length === 0
  }

  done(output: DoneAttempt): void {
    this.#done.push(output)
  }

  failed(attempt: AttemptId, failure: AttemptFailure): void {
    this.#failed.push({ attempt, failure })
  }

  unfetched(attempt: AttemptId, failures: readonly FetchFailure[]): void {
    this.#unfetched.push({ attempt, failures })
  }

  /** All that waits to be told. */
  all(): Told {
    return { done: [...this.#done], failed: [...this.#failed], unfetched: [...this.#unfetched] }
  }

  /** It was heard: what {@link all} gave last, to which more may have been added behind. */
  forget({ done, failed, unfetched }: Told): void {
    this.#done.splice(0, done.length)
    this.#failed.splice(0, failed.length)
    this.#unfetched.splice(0, unfetched.length)
  }
}

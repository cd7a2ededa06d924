/** What the coordinator is to be told, kept until it has said that it heard. */
import type { AttemptFailure, AttemptId, FetchFailure } from '../core/task.ts'
import type { HeldOutput, ReportRequest } from '../protocol.ts'

type Told = Pick<ReportRequest, 'done' | 'failed' | 'unfetched'>

export class Reports {
  #done: HeldOutput[] = []
  #failed: { attempt: AttemptId; failure: AttemptFailure }[] = []
  #unfetched: { attempt: AttemptId; failures: readonly FetchFailure[] }[] = []

  get isEmpty(): boolean {
    return this.#done.length + this.#failed.length + this.#unfetched.length === 0
  }

  done(output: HeldOutput): void {
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

  /** It was heard. */
  forget({ done, failed, unfetched }: Told): void {
    this.#done = this.#done.filter((one) => !done.includes(one))
    this.#failed = this.#failed.filter((one) => !failed.includes(one))
    this.#unfetched = this.#unfetched.filter((one) => !unfetched.includes(one))
  }
}

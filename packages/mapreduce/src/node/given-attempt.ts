import type { AttemptResult, BadRecord } from '../core/task.ts'
import { FetchFailed, TaskFailed } from '../task/failure.ts'
import type { Work } from '../task/work.ts'
import type { Execution, ExecutionProgress, ReadThere } from '../worker/executor.ts'
import type { EndedWork } from './thread-messages.ts'

/** The thread that an attempt was given to, as the attempt sees it. */
export interface Maker {
  /** Null when it is not at this attempt. */
  progressOf(attempt: GivenAttempt): Pick<ExecutionProgress, 'fraction' | 'records'> | null
  cancel(attempt: GivenAttempt): void
}

/** An attempt that was given to a thread; to another one, when the first died of what it was at before. */
export class GivenAttempt implements Execution {
  readonly work: Work
  readonly read: ReadThere
  /** See `JobSpec`. */
  readonly hangMs: number
  readonly result: Promise<AttemptResult>
  maker: Maker | undefined
  status = ''
  #elapsedMs: number | undefined
  #resolve: (result: AttemptResult) => void = () => undefined
  #reject: (error: Error) => void = () => undefined

  constructor(work: Work, read: ReadThere, hangMs: number) {
    this.work = work
    this.read = read
    this.hangMs = hangMs
    this.result = new Promise((resolve, reject) => {
      this.#resolve = resolve
      this.#reject = reject
    })
  }

  progress(): ExecutionProgress {
    const made = this.maker?.progressOf(this)
    const { fraction, records } = made ?? { fraction: 0, records: 0 }
    return { fraction, records, isWaiting: made === null, status: this.status, elapsedMs: this.#elapsedMs }
  }

  cancel(): void {
    this.maker?.cancel(this)
  }

  ended({ end, elapsedMs }: EndedWork): void {
    this.#elapsedMs = elapsedMs
    if (end.type === 'done') this.#resolve(end.result)
    else if (end.type === 'failed') this.#reject(new TaskFailed(end.failure))
    else if (end.type === 'unfetched') this.#reject(new FetchFailed(end.failures))
    else this.crashed('cancelled')
  }

  /** Its thread ended. @param record what it was at */
  crashed(
    message: string,
    reason: 'crashed' | 'hung' | 'machine' = 'crashed',
    record: BadRecord | null = null,
  ): void {
    this.#reject(new TaskFailed({ reason, message, stack: '', record }))
  }
}

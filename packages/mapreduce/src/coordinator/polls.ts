/** Workers that wait for work, and work that waits for its worker's next poll. */
import type { Decision } from '../core/decision.ts'
import type { AttemptId, WorkerId } from '../core/task.ts'
import type { Split } from '../formats.ts'
import type { Assignment } from '../protocol.ts'

interface Waiting {
  readonly assignments: Assignment[]
  answer: (() => void) | undefined
}

export class Polls {
  readonly #splits: readonly (readonly Split[])[]
  readonly #byWorker = new Map<WorkerId, Waiting>()

  constructor(splits: readonly (readonly Split[])[]) {
    this.#splits = splits
  }

  assign({ attempt, skip, skipMax }: Extract<Decision, { type: 'assign' }>, outputs: number): void {
    const splits = attempt.kind === 'map' ? (this.#splits[attempt.task] ?? []) : []
    const waiting = this.#of(attempt.worker)
    waiting.assignments.push({ attempt, splits, skip, skipMax, outputs })
    waiting.answer?.()
  }

  /** What the schedule gave to this worker and no poll has taken yet. */
  untold(worker: WorkerId): readonly AttemptId[] {
    return this.#of(worker).assignments.map(({ attempt }) => attempt)
  }

  /** Takes what there is for this worker. */
  take(worker: WorkerId): readonly Assignment[] {
    return this.#of(worker).assignments.splice(0)
  }

  /** Resolves when there is something for this worker, or its poll is to be answered anyway. A poll before this one is. */
  wait(worker: WorkerId): Promise<void> {
    const waiting = this.#of(worker)
    waiting.answer?.()
    return new Promise((resolve) => {
      waiting.answer = () => {
        waiting.answer = undefined
        resolve()
      }
    })
  }

  /** Answers a poll with nothing. */
  release(worker: WorkerId): void {
    this.#byWorker.get(worker)?.answer?.()
  }

  drop(worker: WorkerId): void {
    this.release(worker)
    this.#byWorker.delete(worker)
  }

  answerAll(): void {
    for (const waiting of this.#byWorker.values()) waiting.answer?.()
  }

  #of(worker: WorkerId): Waiting {
    let waiting = this.#byWorker.get(worker)
    if (waiting === undefined) {
      waiting = { assignments: [], answer: undefined }
      this.#byWorker.set(worker, waiting)
    }
    return waiting
  }
}

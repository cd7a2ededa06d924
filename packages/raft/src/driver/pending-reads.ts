import { RaftError } from '../errors.ts'
import type { ReadAnswer } from '../core/ready.ts'
import type { Index } from '../types.ts'

interface Asker {
  readonly resolve: (index: Index) => void
  readonly reject: (error: RaftError) => void
}

/**
 * Reads that wait for the leader to prove that it still leads (thesis §6.4). Those of one turn share a question; a later one never
 * joins an earlier question, whose commit index may be older than it.
 */
export class PendingReads {
  #asking: Asker[] = []
  readonly #asked = new Map<number, readonly Asker[]>()

  /** Resolves with the index that must be applied before the read. @throws {RaftError} `NOT_LEADER`, `CLOSED` */
  ask(): Promise<Index> {
    return new Promise((resolve, reject) => {
      this.#asking.push({ resolve, reject })
    })
  }

  /** Has anybody come since the last question? */
  get waiting(): boolean {
    return this.#asking.length > 0
  }

  /** The core has been asked, under `id`, for all that came since the last time. */
  asked(id: number): void {
    this.#asked.set(id, this.#asking)
    this.#asking = []
  }

  answer(answers: readonly ReadAnswer[]): void {
    for (const { id, index } of answers) {
      const askers = this.#asked.get(id)
      this.#asked.delete(id)
      for (const asker of askers ?? []) {
        if (index === null) asker.reject(notLeader())
        else asker.resolve(index)
      }
    }
  }

  fail(makeError: () => RaftError): void {
    const all = [...this.#asked.values(), this.#asking].flat()
    this.#asked.clear()
    this.#asking = []
    for (const asker of all) asker.reject(makeError())
  }
}

function notLeader(): RaftError {
  return new RaftError('NOT_LEADER', 'this server does not lead, or could not prove that it does')
}

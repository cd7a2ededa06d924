import type { RaftError } from '../errors.ts'
import type { Index } from '../types.ts'

interface Waiter {
  readonly index: Index
  readonly resolve: () => void
  readonly reject: (error: RaftError) => void
}

/** Those who wait for lastApplied to reach an index, in the order of the indexes. */
export class AppliedWaiters {
  readonly #waiters: Waiter[] = []

  /** How many wait. */
  get size(): number {
    return this.#waiters.length
  }

  /** Resolves once `index` is applied; the caller has looked that it is not yet. */
  wait(index: Index): Promise<void> {
    return new Promise((resolve, reject) => {
      // Mostly at the end: later calls wait for later indexes.
      let at = this.#waiters.length
      while (at > 0 && (this.#waiters[at - 1] as Waiter).index > index) at--
      this.#waiters.splice(at, 0, { index, resolve, reject })
    })
  }

  applied(lastApplied: Index): void {
    let count = 0
    for (const waiter of this.#waiters) {
      if (waiter.index > lastApplied) break
      count++
    }
    if (count === 0) return
    for (const waiter of this.#waiters.splice(0, count)) waiter.resolve()
  }

  fail(makeError: () => RaftError): void {
    for (const waiter of this.#waiters.splice(0)) waiter.reject(makeError())
  }
}

/**
 * Does one piece of work at a time, in the order in which they came; one that fails does not stop the next. What finds nothing under
 * way begins at once.
 */
import { toError } from '@lab/rpc'

export class Serial {
  #under = 0
  #last: Promise<unknown> = Promise.resolve()

  run<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#under === 0 ? begun(work) : this.#last.then(work)
    this.#under++
    this.#last = result.then(this.#ended, this.#ended)
    return result
  }

  /** Resolves when everything given so far is done. */
  async idle(): Promise<void> {
    await this.#last
  }

  readonly #ended = (): void => {
    this.#under--
  }
}

/** A throw of its synchronous part is a rejection, as later. */
function begun<T>(work: () => Promise<T>): Promise<T> {
  try {
    return work()
  } catch (thrown) {
    return Promise.reject(toError(thrown))
  }
}

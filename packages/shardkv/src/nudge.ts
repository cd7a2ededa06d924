import { WaitList, onAbort, type Clock, type Milliseconds } from '@lab/rpc'

/** Lets a loop sleep until there may be something to do. */
export class Nudge {
  readonly #clock: Clock
  readonly #waiting = new WaitList<() => void>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** There may be. */
  wake(): void {
    for (const wake of this.#waiting.takeAll()) wake()
  }

  /** Resolves when woken, when `limit` is over, or when the signal aborts. Never rejects. */
  wait(limit: Milliseconds, signal?: AbortSignal): Promise<void> {
    if (signal?.aborted === true) return Promise.resolve()
    return new Promise((resolve) => {
      const wake = (): void => {
        timer?.cancel()
        off?.()
        this.#waiting.leave(place)
        resolve()
      }
      const timer = limit === Infinity ? null : this.#clock.setTimer(limit, wake)
      const off = signal === undefined ? null : onAbort(signal, wake)
      const place = this.#waiting.add(wake)
    })
  }
}

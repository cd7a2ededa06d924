import { setTimeout as sleep } from 'node:timers/promises'

/** Lets operations begin at an even rate. Time in which nothing could begin is not made up for: the rate is also the most. */
export class Pace {
  readonly #intervalMs: number
  #next = 0

  /** @param perSecond Infinity for no limit */
  constructor(perSecond: number) {
    this.#intervalMs = 1000 / perSecond
  }

  /** Resolves when the next operation may begin. */
  async turn(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted()
    const now = performance.now()
    const at = Math.max(now, this.#next)
    this.#next = at + this.#intervalMs
    if (at - now >= 1) await sleep(at - now, undefined, { signal })
  }
}

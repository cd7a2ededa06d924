import type { Clock, Milliseconds, Timer } from '@lab/rpc'

/** Campaigns that may be young at one moment. */
const AT_ONCE = 64

/**
 * Lets groups campaign a few at a time. A thousand that campaign together answer each other later than an election timeout, begin
 * anew, and never elect anybody; a few are done before the next begin. A busy event loop slows the queue down with everything
 * else, so it finds its own pace.
 */
export class Campaigns {
  readonly #clock: Clock
  readonly #youthMs: Milliseconds
  /** By group, in the order in which their deadlines came. */
  readonly #waiting = new Map<number, () => void>()
  #young = 0
  readonly #timers = new Set<Timer>()

  /** @param youthMs a campaign counts for so long, be it won, lost or unanswered */
  constructor(clock: Clock, youthMs: Milliseconds) {
    this.#clock = clock
    this.#youthMs = youthMs
  }

  /** Calls `act` now or later; a group waits once, with what it said last. */
  enter(group: number, act: () => void): void {
    if (this.#young < AT_ONCE && this.#waiting.size === 0) this.#begin(act)
    else this.#waiting.set(group, act)
  }

  stop(): void {
    for (const timer of this.#timers) timer.cancel()
    this.#timers.clear()
    this.#waiting.clear()
  }

  #begin(act: () => void): void {
    this.#young++
    const timer = this.#clock.setTimer(this.#youthMs, () => {
      this.#timers.delete(timer)
      this.#young--
      this.#next()
    })
    this.#timers.add(timer)
    act()
  }

  #next(): void {
    for (const [group, act] of this.#waiting) {
      if (this.#young >= AT_ONCE) return
      this.#waiting.delete(group)
      this.#begin(act)
    }
  }
}

import type { Clock, Milliseconds, Random, Timer } from '@lab/rpc'

/** Campaigns that may be young at one moment. */
const AT_ONCE = 64

/**
 * Lets groups campaign a few at a time. A thousand that campaign together answer each other later than an election timeout, begin
 * anew, and never elect anybody; a few are done before the next begin. A busy event loop slows the queue down with everything
 * else, so it finds its own pace. Who comes next is drawn: processes that all went by the same order would campaign for the same
 * groups at the same time, and split their votes.
 */
export class Campaigns {
  readonly #clock: Clock
  readonly #random: Random
  readonly #youthMs: Milliseconds
  /** By group. */
  readonly #waiting = new Map<number, () => void>()
  /** The groups that wait, in no order. */
  readonly #line: number[] = []
  #young = 0
  readonly #timers = new Set<Timer>()

  /** @param youthMs a campaign counts for so long, be it won, lost or unanswered */
  constructor(clock: Clock, random: Random, youthMs: Milliseconds) {
    this.#clock = clock
    this.#random = random
    this.#youthMs = youthMs
  }

  /** Calls `act` now or later; a group waits once, with what it said last. */
  enter(group: number, act: () => void): void {
    if (this.#young < AT_ONCE && this.#waiting.size === 0) this.#begin(act)
    else {
      if (!this.#waiting.has(group)) this.#line.push(group)
      this.#waiting.set(group, act)
    }
  }

  stop(): void {
    for (const timer of this.#timers) timer.cancel()
    this.#timers.clear()
    this.#waiting.clear()
    this.#line.length = 0
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
    while (this.#young < AT_ONCE && this.#line.length > 0) {
      const group = this.#draw()
      const act = this.#waiting.get(group)
      this.#waiting.delete(group)
      if (act !== undefined) this.#begin(act)
    }
  }

  #draw(): number {
    const place = this.#random.integer(0, this.#line.length - 1)
    const drawn = this.#line[place] as number
    const last = this.#line.pop() as number
    if (place < this.#line.length) this.#line[place] = last
    return drawn
  }
}

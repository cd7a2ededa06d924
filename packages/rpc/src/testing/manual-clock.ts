import type { Clock, Milliseconds, Timer } from '../clock.ts'
import { assert } from '../errors.ts'
import { TimerQueue } from './timer-queue.ts'
import { turns } from './turn.ts'

/** How much virtual time `run` and `settle` may use up before they give up. */
const LIMIT_MS = 600_000

/**
 * Virtual time: it stands still until a test moves it, so that waiting costs none of ours. Between any two timers, and
 * before the first, every pending promise reaction runs; code that waits only for this clock and for promises therefore
 * does the same in every run.
 */
export class ManualClock implements Clock {
  readonly #timers = new TimerQueue()
  readonly #wallTimeAtZero: Milliseconds
  #now: Milliseconds = 0

  constructor(options: { readonly wallTimeAtZero?: Milliseconds } = {}) {
    this.#wallTimeAtZero = options.wallTimeAtZero ?? 0
  }

  now(): Milliseconds {
    return this.#now
  }

  wallTime(): Milliseconds {
    return Math.floor(this.#wallTimeAtZero + this.#now)
  }

  setTimer(delay: Milliseconds, callback: () => void): Timer {
    assert(!Number.isNaN(delay), 'a delay is a number')
    return this.#timers.add(this.#now + Math.max(delay, 0), callback)
  }

  /** Timers that are set and have not fired. */
  get waitingTimers(): number {
    return this.#timers.waiting
  }

  /** Lets `duration` pass, firing the timers that come due, in order, the ones they set included. */
  async advance(duration: Milliseconds): Promise<void> {
    const end = this.#now + duration
    await turns(() => this.#fireNext(end))
    this.#now = end
  }

  /**
   * Lets time pass from timer to timer until `until` holds.
   *
   * @throws {Error} when `limitMs` of virtual time have passed, or no timer is left, and it still does not
   */
  async run(until: () => boolean, options: { readonly limitMs?: Milliseconds } = {}): Promise<void> {
    const limit = options.limitMs ?? LIMIT_MS
    const end = this.#now + limit
    await turns(() => {
      if (until()) return false
      if (this.#fireNext(end)) return true
      const why = this.waitingTimers === 0 ? 'and no timer is left' : `within ${String(limit)} ms`
      throw new Error(`what was waited for did not happen ${why}`)
    })
  }

  /** Lets time pass until `promise` has settled. @returns its value @throws what it rejects with, or as {@link run} */
  async settle<T>(promise: Promise<T>, options?: { readonly limitMs?: Milliseconds }): Promise<T> {
    let settled = false
    const settle = (): void => {
      settled = true
    }
    promise.then(settle, settle)
    await this.run(() => settled, options)
    return promise
  }

  /** False when no timer comes due until `end`. */
  #fireNext(end: Milliseconds): boolean {
    const at = this.#timers.nextAt
    const next = at > end ? undefined : this.#timers.take()
    if (next === undefined) return false
    this.#now = at
    next.fire()
    return true
  }
}

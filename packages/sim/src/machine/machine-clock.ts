import type { Clock, Milliseconds, Timer } from '@lab/rpc'

/** A timer found too early, by a slower clock or by rounding, looks again after so much: less might not move time at all. */
const GRAIN_MS = 0.001

/** The clock of one machine: it may run faster or slower than the world's, and somebody may set its wall time. */
export class MachineClock implements Clock {
  readonly #world: Clock
  #rate = 1
  #wallOffset: Milliseconds = 0
  /** Where this clock and the world's stood when the rate changed last; null as long as it never has. */
  #base: { readonly own: Milliseconds; readonly world: Milliseconds } | null = null

  constructor(world: Clock) {
    this.#world = world
  }

  now(): Milliseconds {
    const base = this.#base
    return base === null ? this.#world.now() : base.own + (this.#world.now() - base.world) * this.#rate
  }

  wallTime(): Milliseconds {
    const drift = this.now() - this.#world.now()
    return Math.floor(this.#world.wallTime() + drift + this.#wallOffset)
  }

  /** Milliseconds of this clock that pass in one of the world's. */
  setRate(rate: number): void {
    if (rate === this.#rate) return
    this.#base = { own: this.now(), world: this.#world.now() }
    this.#rate = rate
  }

  /** Somebody sets the wall clock; `now` and timers do not notice. */
  jump(by: Milliseconds): void {
    this.#wallOffset += by
  }

  setTimer(delay: Milliseconds, callback: () => void): Timer {
    const wait = Math.max(delay, 0)
    const due = this.now() + wait
    let timer = this.#world.setTimer(wait / this.#rate, () => {
      fire()
    })
    const fire = (): void => {
      const left = due - this.now()
      if (left <= 0) callback()
      else timer = this.#world.setTimer(Math.max(left / this.#rate, GRAIN_MS), fire)
    }
    return {
      cancel: () => {
        timer.cancel()
      },
    }
  }
}

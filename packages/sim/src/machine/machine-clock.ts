import type { Clock, Milliseconds, Timer } from '@lab/rpc'
import type { Gate } from './gate.ts'

/** A timer found too early looks again after so much at least: less might not move time at all. */
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
    return new MachineTimer(this, Math.max(delay, 0), callback, null)
  }

  /** The clock as a process sees it: when a timer fires it must get through the gate. */
  behind(gate: Gate): Clock {
    return {
      now: () => this.now(),
      wallTime: () => this.wallTime(),
      setTimer: (delay, callback) => new MachineTimer(this, Math.max(delay, 0), callback, gate),
    }
  }

  /** On the world's clock, when so much has passed on this one as long as nobody changes its rate. */
  after(wait: Milliseconds, look: () => void): Timer {
    return this.#world.setTimer(wait / this.#rate, look)
  }
}

/** Found too early, by a slower clock or by rounding, it looks again. */
class MachineTimer implements Timer {
  readonly #clock: MachineClock
  readonly #due: Milliseconds
  readonly #callback: () => void
  readonly #gate: Gate | null
  #timer: Timer

  constructor(clock: MachineClock, wait: Milliseconds, callback: () => void, gate: Gate | null) {
    this.#clock = clock
    this.#due = clock.now() + wait
    this.#callback = callback
    this.#gate = gate
    this.#timer = clock.after(wait, this.#look)
  }

  cancel(): void {
    this.#timer.cancel()
  }

  readonly #look = (): void => {
    const left = this.#due - this.#clock.now()
    if (left <= 0) this.#ring()
    else this.#timer = this.#clock.after(Math.max(left, GRAIN_MS), this.#look)
  }

  #ring(): void {
    if (this.#gate === null) this.#callback()
    else this.#gate.pass('timer', this.#callback)
  }
}

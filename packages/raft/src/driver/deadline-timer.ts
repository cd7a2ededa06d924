import type { Clock, Milliseconds, Timer } from '@lab/rpc'

/** After a stall, for the mail that came meanwhile. */
const READ_MS: Milliseconds = 1

export interface DeadlineTimerOptions {
  readonly clock: Clock
  /** A timer that fires this much too late tells of an event loop that stood still. */
  readonly stallMs: Milliseconds
  readonly onDue: () => void
  readonly onStall: (lateMs: Milliseconds) => void
}

/**
 * Calls `onDue` when the core's deadline has passed. Deadlines mostly move away (each heartbeat moves it), so the timer is left
 * alone then and looks again when it fires.
 *
 * After a stall the mail of that time still lies in the sockets: a follower that believed its election timer first would
 * disturb a leader that is well. So the event loop gets a while to read before the deadline is believed.
 */
export class DeadlineTimer {
  readonly #options: DeadlineTimerOptions
  #deadline: Milliseconds = Infinity
  #timer: Timer | null = null
  #timerAt: Milliseconds = Infinity

  constructor(options: DeadlineTimerOptions) {
    this.#options = options
  }

  /** @param deadline on the clock's scale; Infinity for never */
  set(deadline: Milliseconds): void {
    this.#deadline = deadline
    if (deadline < this.#timerAt) this.#arm(deadline)
  }

  cancel(): void {
    this.#deadline = Infinity
    this.#timer?.cancel()
    this.#timer = null
    this.#timerAt = Infinity
  }

  #arm(at: Milliseconds): void {
    const { clock } = this.#options
    this.#timer?.cancel()
    this.#timerAt = at
    this.#timer = clock.setTimer(Math.max(0, at - clock.now()), () => this.#fire(at))
  }

  #fire(at: Milliseconds): void {
    const { clock, stallMs, onStall } = this.#options
    const late = clock.now() - at
    if (late <= stallMs) {
      this.#look()
      return
    }
    // `#timerAt` stays in the past meanwhile, so that `set` arms nothing beside.
    this.#timer = clock.setTimer(READ_MS, () => this.#look())
    onStall(late)
  }

  #look(): void {
    this.#timer = null
    this.#timerAt = Infinity
    if (this.#deadline > this.#options.clock.now()) {
      if (this.#deadline !== Infinity) this.#arm(this.#deadline)
      return
    }
    this.#deadline = Infinity
    this.#options.onDue()
  }
}

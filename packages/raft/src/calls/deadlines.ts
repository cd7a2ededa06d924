import type { Clock, Milliseconds, Timer } from '@lab/rpc'

/** Something that waits, but not for ever. */
export interface Expiring {
  /** On the clock's scale; set once. */
  readonly deadline: Milliseconds
  expire(): void
}

/**
 * Deadlines of any number of calls behind one timer. Calls of one duration expire in the order in which they came, so a queue
 * per duration needs no heap, and leaving it costs one delete.
 */
export class Deadlines {
  readonly #clock: Clock
  readonly #queues = new Map<Milliseconds, Set<Expiring>>()
  #timer: Timer | null = null
  #timerAt = Infinity

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** `call.deadline` is `duration` from now. `Infinity` is fine and never expires. */
  add(call: Expiring, duration: Milliseconds): void {
    if (duration === Infinity) return
    const queue = this.#queues.get(duration)
    if (queue === undefined) this.#queues.set(duration, new Set([call]))
    else queue.add(call)
    if (call.deadline < this.#timerAt) this.#arm(call.deadline)
  }

  /** The call has ended otherwise. */
  remove(call: Expiring, duration: Milliseconds): void {
    const queue = this.#queues.get(duration)
    if (queue?.delete(call) === true && queue.size === 0) this.#queues.delete(duration)
  }

  /** Expires nothing more. */
  close(): void {
    this.#timer?.cancel()
    this.#timer = null
    this.#timerAt = Infinity
    this.#queues.clear()
  }

  #arm(at: Milliseconds): void {
    this.#timer?.cancel()
    this.#timerAt = at
    this.#timer = this.#clock.setTimer(Math.max(0, at - this.#clock.now()), () => this.#fire(), {
      keepAlive: true,
    })
  }

  #fire(): void {
    this.#timer = null
    this.#timerAt = Infinity
    const now = this.#clock.now()
    let next = Infinity
    for (const [duration, queue] of this.#queues) {
      for (const call of queue) {
        if (call.deadline > now) {
          next = Math.min(next, call.deadline)
          break
        }
        queue.delete(call)
        call.expire()
      }
      if (queue.size === 0) this.#queues.delete(duration)
    }
    if (next < this.#timerAt) this.#arm(next)
  }
}

import { WaitList, type Clock, type Milliseconds, type Place, type Timer } from '@lab/rpc'

/** Something that waits, but not for ever. */
export interface Expiring {
  /** On the clock's scale; set once. */
  readonly deadline: Milliseconds
  expire(): void
}

/**
 * Deadlines of any number of calls behind one timer. Calls of one duration expire in the order in which they came, so a queue
 * per duration needs no heap, and leaving it costs next to nothing.
 */
export class Deadlines {
  readonly #clock: Clock
  readonly #queues = new Map<Milliseconds, WaitList<Expiring>>()
  #timer: Timer | null = null
  #timerAt = Infinity

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** `call.deadline` is `duration` from now. `Infinity` is fine and never expires: it has no place. */
  add(call: Expiring, duration: Milliseconds): Place<Expiring> | null {
    if (duration === Infinity) return null
    let queue = this.#queues.get(duration)
    if (queue === undefined) {
      queue = new WaitList()
      this.#queues.set(duration, queue)
    }
    const place = queue.add(call)
    if (call.deadline < this.#timerAt) this.#arm(call.deadline)
    return place
  }

  /** The call has ended otherwise. */
  remove(place: Place<Expiring> | null, duration: Milliseconds): void {
    if (place === null) return
    const queue = this.#queues.get(duration)
    if (queue?.leave(place) === true && queue.isEmpty) this.#queues.delete(duration)
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
      for (let call = queue.first; call !== null; call = queue.first) {
        if (call.deadline > now) {
          next = Math.min(next, call.deadline)
          break
        }
        queue.shift()
        call.expire()
      }
      // Another may have taken its place meanwhile.
      if (queue.isEmpty && this.#queues.get(duration) === queue) this.#queues.delete(duration)
    }
    if (next < this.#timerAt) this.#arm(next)
  }
}

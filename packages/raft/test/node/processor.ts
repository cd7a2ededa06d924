import type { Clock } from '@lab/rpc'

/** A processor: work on it takes time, in which the event loop of whoever runs on it stands still. */
export class Processor {
  workedMs = 0
  /** The longest time without a turn. */
  longestMs = 0
  turns = 0
  /** Others' time goes on meanwhile: its timers fire when it is free again. */
  #busyUntil = 0
  #sinceTurnMs = 0
  #now: () => number = () => 0

  around(inner: Clock): Clock {
    this.#now = () => Math.max(inner.now(), this.#busyUntil)
    return {
      now: this.#now,
      wallTime: () => inner.wallTime(),
      setTimer: (delay, callback, options) =>
        inner.setTimer(
          this.#now() - inner.now() + delay,
          () => {
            this.turns++
            this.#sinceTurnMs = 0
            callback()
          },
          options,
        ),
    }
  }

  work(ms: number): void {
    this.#busyUntil = this.#now() + ms
    this.workedMs += ms
    this.#sinceTurnMs += ms
    this.longestMs = Math.max(this.longestMs, this.#sinceTurnMs)
  }

  reset(): void {
    this.workedMs = 0
    this.longestMs = 0
    this.turns = 0
    this.#sinceTurnMs = 0
  }
}

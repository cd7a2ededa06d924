import type { Clock, Milliseconds, Random } from '@lab/rpc'

/** How long one operation of a disk takes, at least and at most. */
export type LatencyRange = readonly [min: Milliseconds, max: Milliseconds]

/** A good solid-state disk: a sync costs half a millisecond and more, or a closed loop would stop virtual time. */
const SYNC_MS: LatencyRange = [0.5, 2]
const OTHER_MS: LatencyRange = [0.01, 0.05]

/** Lets an operation take its time: virtual with a clock, else some turns of the microtask queue. */
export class Pace {
  readonly #random: Random
  readonly #clock: Clock | undefined
  /** How many times longer than usual operations take. */
  slowness = 1

  constructor(random: Random, clock: Clock | undefined) {
    this.#random = random
    this.#clock = clock
  }

  /** Calls `run` when the operation has taken its time. */
  after(kind: 'sync' | 'other', run: () => void): void {
    const clock = this.#clock
    if (clock === undefined) {
      void this.#turns().then(run)
      return
    }
    const [min, max] = kind === 'sync' ? SYNC_MS : OTHER_MS
    const delay = (min + this.#random.next() * (max - min)) * this.slowness
    clock.setTimer(delay, run, { keepAlive: true })
  }

  async #turns(): Promise<void> {
    for (let turns = this.#random.integer(0, 3); turns > 0; turns--) await Promise.resolve()
  }
}

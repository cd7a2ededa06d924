import type { Milliseconds } from '@lab/rpc'

/** Work for so long may be handed to a slot at once. */
const HANDED_MS = 5
const AT_ONCE_MAX = 64
/** How much the latest one counts. */
const WEIGHT = 1 / 8

/** How long tasks take here, and how many of them are handed to a slot at once: one, unless they take next to no time. */
export class Pace {
  #mean: Milliseconds = HANDED_MS

  /** @param elapsed undefined for one that did not come to its end */
  note(elapsed: Milliseconds | undefined): void {
    // One that took long shows that the next may: it is not to keep others waiting behind it.
    const latest = elapsed ?? HANDED_MS
    this.#mean = Math.max(latest, this.#mean + (latest - this.#mean) * WEIGHT)
  }

  get atOnce(): number {
    return Math.max(1, Math.min(AT_ONCE_MAX, Math.floor(HANDED_MS / this.#mean)))
  }
}

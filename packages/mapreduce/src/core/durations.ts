import type { Milliseconds } from '@lab/rpc'

const KEPT_MAX = 101

/** How long tasks took: the latest of them. */
export class Durations {
  readonly #latest: Milliseconds[] = []
  /** The same, the shortest first: the median is asked for each time that one is added. */
  readonly #sorted: Milliseconds[] = []

  add(duration: Milliseconds): void {
    this.#latest.push(duration)
    this.#sorted.splice(this.#rank(duration), 0, duration)
    const oldest = this.#latest.length > KEPT_MAX ? this.#latest.shift() : undefined
    if (oldest !== undefined) this.#sorted.splice(this.#rank(oldest), 1)
  }

  /** Null before there is one. */
  get median(): Milliseconds | null {
    return this.#sorted[this.#sorted.length >> 1] ?? null
  }

  /** How many are shorter. */
  #rank(duration: Milliseconds): number {
    let [low, high] = [0, this.#sorted.length]
    while (low < high) {
      const middle = (low + high) >>> 1
      if ((this.#sorted[middle] as number) < duration) low = middle + 1
      else high = middle
    }
    return low
  }
}

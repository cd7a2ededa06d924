import type { Milliseconds } from '@lab/rpc'

const KEPT_MAX = 101

/** How long tasks took: the latest of them. */
export class Durations {
  readonly #latest: Milliseconds[] = []
  #median: Milliseconds | null = null
  #isStale = false

  add(duration: Milliseconds): void {
    this.#latest.push(duration)
    if (this.#latest.length > KEPT_MAX) this.#latest.shift()
    this.#isStale = true
  }

  /** Null before there is one. */
  get median(): Milliseconds | null {
    // Thousands of short tasks end between two looks.
    if (this.#isStale) this.#median = this.#latest.toSorted((a, b) => a - b)[this.#latest.length >> 1] ?? null
    this.#isStale = false
    return this.#median
  }
}

/** How often something took how long, in a few buckets: what a Prometheus histogram needs. */
export interface Distribution {
  /** Upper bounds of the buckets in milliseconds, growing; the last bucket, beyond them, has none. */
  readonly bounds: readonly number[]
  /** How many fell into each bucket, not added up; one more than `bounds`. */
  readonly counts: readonly number[]
  readonly count: number
  readonly sum: number
}

/** A factor of two apart, from a fast SSD's sync to a disk in trouble. */
const BOUNDS_MS: readonly number[] = Array.from({ length: 16 }, (_, i) => 0.25 * 2 ** i)

export class Histogram {
  readonly #counts = new Array<number>(BOUNDS_MS.length + 1).fill(0)
  #count = 0
  #sum = 0

  /** @param count so many took as long */
  observe(ms: number, count = 1): void {
    let bucket = 0
    while (bucket < BOUNDS_MS.length && ms > (BOUNDS_MS[bucket] as number)) bucket++
    this.#counts[bucket] = (this.#counts[bucket] as number) + count
    this.#count += count
    this.#sum += ms * count
  }

  snapshot(): Distribution {
    return { bounds: BOUNDS_MS, counts: [...this.#counts], count: this.#count, sum: this.#sum }
  }
}

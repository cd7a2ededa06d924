/** Counts what happens to operations: how many, how fast, how long they took, and for how long none came through. */

const BUCKET_MS = 500

export class Meter {
  readonly #now: () => number
  readonly #started: number
  /** Milliseconds from sending to acknowledgement, each operation's. */
  readonly #latencies: number[] = []
  /** Acknowledgements per {@link BUCKET_MS}. */
  readonly #buckets: number[] = []
  #lastDone: number
  #longestGap = 0
  #gapSince: number
  #failed = 0

  /** @param now a monotonic clock, in milliseconds */
  constructor(now: () => number) {
    this.#now = now
    this.#started = now()
    this.#lastDone = this.#started
    this.#gapSince = this.#started
  }

  /** Acknowledged. */
  get done(): number {
    return this.#latencies.length
  }

  get failed(): number {
    return this.#failed
  }

  /** Milliseconds since the start. */
  get elapsed(): number {
    return this.#now() - this.#started
  }

  /** An operation that was sent at `sent` has been acknowledged. */
  acknowledge(sent: number): void {
    const now = this.#now()
    this.#longestGap = Math.max(this.#longestGap, now - Math.max(this.#lastDone, this.#gapSince))
    this.#lastDone = now
    this.#latencies.push(now - sent)
    const bucket = Math.floor((now - this.#started) / BUCKET_MS)
    this.#buckets[bucket] = (this.#buckets[bucket] ?? 0) + 1
  }

  fail(): void {
    this.#failed++
  }

  /** From here on {@link longestGap} counts. */
  watchGap(): void {
    this.#gapSince = this.#now()
    this.#longestGap = 0
  }

  /** The longest time in milliseconds without an acknowledgement, of those that have ended since {@link watchGap}. */
  get longestGap(): number {
    return this.#longestGap
  }

  /** Acknowledged per second, the latest `count` buckets; the last may not be full yet. */
  throughput(count: number): number[] {
    const last = Math.floor(this.elapsed / BUCKET_MS)
    const first = Math.max(0, last - count + 1)
    return Array.from(
      { length: last - first + 1 },
      (_, at) => ((this.#buckets[first + at] ?? 0) * 1000) / BUCKET_MS,
    )
  }

  /** Acknowledged per second in the last full second. */
  get rate(): number {
    const last = Math.floor(this.elapsed / BUCKET_MS)
    return ((this.#buckets[last - 1] ?? 0) + (this.#buckets[last - 2] ?? 0)) / ((2 * BUCKET_MS) / 1000)
  }

  /**
   * @param fraction 0.5 for the median
   * @param latest of so many operations, the last ones
   * @returns milliseconds, 0 before the first operation
   */
  percentile(fraction: number, latest = Infinity): number {
    const sorted = Float64Array.from(this.#latencies.slice(-Math.min(latest, this.done) || undefined)).sort()
    return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * fraction))] ?? 0
  }
}

export interface SpreadSummary {
  readonly count: number
  readonly median: number
  readonly p99: number
  readonly max: number
}

/** Values and how they are spread. Keeps all of them: eight bytes each. */
export class Spread {
  readonly #values: number[] = []

  add(value: number): void {
    this.#values.push(value)
  }

  /** Zeros when there is none. */
  summary(): SpreadSummary {
    const sorted = [...this.#values].sort((a, b) => a - b)
    const at = (share: number): number =>
      sorted[Math.min(Math.floor(share * sorted.length), sorted.length - 1)] ?? 0
    return { count: sorted.length, median: at(0.5), p99: at(0.99), max: sorted.at(-1) ?? 0 }
  }
}

import type { TermRuns } from '../fields.ts'

/** The log of one server as far as the trace tells: terms by index. What it does not tell is unknown, and no ground for a claim. */
export class LogModel {
  /** By index; undefined where unknown. */
  #terms: (number | undefined)[] = [0]
  #last = 0
  /** Entries up to here are on disk as they are here. */
  #durable = 0
  /** The last entry handed to the disk that has not been replaced since. */
  #written = 0

  get last(): number {
    return this.#last
  }

  get durable(): number {
    return this.#durable
  }

  /** 0 at index 0; undefined behind the end, or when unknown. */
  termAt(index: number): number | undefined {
    return index <= this.#last ? this.#terms[index] : undefined
  }

  /** What the disk gave back at a start. */
  recover(last: number, runs: TermRuns): void {
    // What a snapshot covers keeps the terms known from before: committed entries do not change.
    const first = runs[0]?.[0] ?? last + 1
    this.#terms.length = Math.min(this.#terms.length, first)
    this.#fill(first, last, runs)
    this.#last = last
    this.#durable = last
    this.#written = last
  }

  append(first: number, last: number, runs: TermRuns): void {
    this.truncate(first)
    this.#fill(first, last, runs)
    this.#last = last
    this.#written = last
  }

  /** Entries from `index` on are gone. */
  truncate(index: number): void {
    if (index > this.#last) return
    this.#last = index - 1
    this.#durable = Math.min(this.#durable, this.#last)
    this.#written = Math.min(this.#written, this.#last)
  }

  persisted(last: number): void {
    this.#durable = Math.max(this.#durable, Math.min(last, this.#written))
  }

  /** A snapshot of another server took the place of the entries up to `index`; later ones stay if they continue it. */
  install(index: number, term: number | undefined): void {
    const continues = term !== undefined && this.termAt(index) === term
    if (!continues) this.#last = this.#written = this.#durable = index
    this.#terms[index] = term
    this.#durable = Math.max(this.#durable, index)
    this.#written = Math.max(this.#written, index)
  }

  #fill(first: number, last: number, runs: TermRuns): void {
    for (const [at, [from, term]] of runs.entries()) {
      const end = Math.min(last, (runs[at + 1]?.[0] ?? Infinity) - 1)
      for (let index = Math.max(first, from); index <= end; index++) this.#terms[index] = term
    }
  }
}

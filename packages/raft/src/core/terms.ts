/**
 * The term of every entry from some index on, kept for the whole log as runs: entries are many, elections few. What
 * consistency checks (§5.3), elections (§5.4.1) and fast backtracking ask, without touching an entry.
 */
import { assert } from '@lab/rpc'
import type { Index, Term } from '../types.ts'

export class Terms {
  /** The entry before the first: its index is always known, its term perhaps not. */
  #base: { readonly index: Index; readonly term: Term | undefined }
  /** Each holds until the next begins; indexes and terms both grow. */
  #runs: { readonly first: Index; readonly term: Term }[]

  constructor(
    base: { readonly index: Index; readonly term: Term | undefined },
    runs: readonly { readonly first: Index; readonly term: Term }[],
  ) {
    this.#base = base
    this.#runs = [...runs]
  }

  /** The term of the entry at `index`, which is at most the last one; undefined when compacted away. */
  at(index: Index): Term | undefined {
    if (index <= this.#base.index) return index === this.#base.index ? this.#base.term : undefined
    return this.#runs[this.#runIndexOf(index)]?.term
  }

  /** The first index of the run that `index` belongs to, not before the first entry. */
  runStart(index: Index): Index {
    const run = this.#runs[this.#runIndexOf(index)]
    return run === undefined ? index : Math.max(run.first, this.#base.index + 1)
  }

  /** The last index ≤ `upTo` whose entry has `term`, or 0. */
  lastIndexOf(term: Term, upTo: Index): Index {
    for (let at = this.#runIndexOf(upTo); at >= 0; at--) {
      const run = this.#runs[at]
      if (run === undefined || run.term < term) return 0
      if (run.term === term) return Math.min(upTo, (this.#runs[at + 1]?.first ?? Infinity) - 1)
    }
    return 0
  }

  /** Entries from `index` on have `term`; indexes and terms never decrease. */
  append(index: Index, term: Term): void {
    const last = this.#runs.at(-1)
    if (last?.term === term) return
    assert(last === undefined || term > last.term, 'terms never decrease along the log')
    this.#runs.push({ first: index, term })
  }

  /** Forgets entries from `index` on. */
  truncateFrom(index: Index): void {
    while ((this.#runs.at(-1)?.first ?? 0) >= index) this.#runs.pop()
  }

  /** Forgets entries up to and including `index`, but not the term of that one. */
  compactTo(index: Index): void {
    const term = this.at(index)
    const keep = this.#runIndexOf(index + 1)
    this.#runs = this.#runs.slice(Math.max(keep, 0))
    this.#base = { index, term }
  }

  /** Everything is replaced by a snapshot that ends at `index`. */
  reset(index: Index, term: Term): void {
    this.#base = { index, term }
    this.#runs = []
  }

  /** Position of the last run that begins at or before `index`, or -1. Newest first: nearly every question is about the end. */
  #runIndexOf(index: Index): number {
    let low = -1
    let high = this.#runs.length - 1
    if (high >= 0 && (this.#runs[high]?.first ?? 0) <= index) return high
    while (low < high) {
      const middle = (low + high + 1) >> 1
      if ((this.#runs[middle]?.first ?? 0) <= index) low = middle
      else high = middle - 1
    }
    return low
  }
}

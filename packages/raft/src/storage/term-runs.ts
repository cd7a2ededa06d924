/** The term of every entry of a log, as runs: a term lasts long, so a million entries take a few numbers. */
import { assert } from '@lab/rpc'
import type { TermRun } from '../storage.ts'
import type { Index, Term } from '../types.ts'

/** Where a log begins: after the entry (index, term), which itself need not be there. (0, 0) is the log from its start. */
export interface LogStart {
  readonly index: Index
  readonly term: Term
}

export class TermRuns {
  #start: LogStart
  #lastIndex: Index
  /** Of the entry at lastIndex. */
  #lastTerm: Term
  /** In order of `first`, neighbours of different terms, all within (start, last]. */
  #runs: TermRun[] = []

  constructor(start: LogStart = { index: 0, term: 0 }) {
    this.#start = start
    this.#lastIndex = start.index
    this.#lastTerm = start.term
  }

  get start(): LogStart {
    return this.#start
  }

  /** The last entry, or where the log starts when there is none. */
  get lastIndex(): Index {
    return this.#lastIndex
  }

  get lastTerm(): Term {
    return this.#lastTerm
  }

  /** A copy. */
  list(): TermRun[] {
    return [...this.#runs]
  }

  /** The term at `index`, that of the start included; null outside. */
  termAt(index: Index): Term | null {
    if (index === this.#start.index) return this.#start.term
    if (index < this.#start.index || index > this.#lastIndex) return null
    return this.#runs[this.#runAt(index)]?.term ?? null
  }

  /** The same entry stands here (§5.3: index and term identify it). */
  holds(index: Index, term: Term): boolean {
    return this.termAt(index) === term
  }

  /** Puts an entry at `index`, which replaces what was there and after it. */
  put(index: Index, term: Term): void {
    assert(index > this.#start.index && index <= this.#lastIndex + 1, 'a log has no gaps')
    if (index <= this.#lastIndex) this.#removeFrom(index)
    if (term !== this.#lastTerm || this.#runs.length === 0) {
      if (this.#runs.at(-1)?.term !== term) this.#runs.push({ first: index, term })
      this.#lastTerm = term
    }
    this.#lastIndex = index
  }

  /** Forgets entries up to and including `index`, which is then where the log starts. */
  removeTo(index: Index): void {
    const term = this.termAt(index)
    assert(term !== null, 'only entries that are there can be forgotten')
    if (index === this.#start.index) return
    this.#runs = index === this.#lastIndex ? [] : this.#runs.slice(this.#runAt(index + 1))
    const [head] = this.#runs
    if (head !== undefined && head.first <= index) this.#runs[0] = { first: index + 1, term: head.term }
    this.#start = { index, term }
  }

  #removeFrom(index: Index): void {
    while ((this.#runs.at(-1)?.first ?? 0) >= index) this.#runs.pop()
    this.#lastIndex = index - 1
    this.#lastTerm = this.#runs.at(-1)?.term ?? this.#start.term
  }

  /** The position of the run that holds `index`, by bisection. */
  #runAt(index: Index): number {
    let low = 0
    let high = this.#runs.length - 1
    while (low < high) {
      const middle = Math.ceil((low + high) / 2)
      if ((this.#runs[middle]?.first ?? Infinity) <= index) low = middle
      else high = middle - 1
    }
    return low
  }
}

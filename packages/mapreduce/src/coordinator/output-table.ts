import type { AttemptId, AttemptResult } from '../core/task.ts'
import type { OutputEntry } from '../protocol.ts'

/** A reply holds no more lines than this. */
const ENTRIES_MAX = 10_000

/** Where the map outputs are, as a list that only grows, so that a worker asks for what it has not seen yet. */
export class OutputTable {
  readonly #entries: OutputEntry[] = []

  /** How many lines there are. */
  get version(): number {
    return this.#entries.length
  }

  add({ task, attempt, worker }: AttemptId, { recordsOut }: Pick<AttemptResult, 'recordsOut'>): void {
    this.#entries.push({ map: task, attempt, worker, ...(recordsOut === 0 ? { isEmpty: true } : {}) })
  }

  lose(map: number): void {
    this.#entries.push({ map, attempt: 0, worker: '' })
  }

  since(version: number): readonly OutputEntry[] {
    return this.#entries.slice(version, version + ENTRIES_MAX)
  }
}

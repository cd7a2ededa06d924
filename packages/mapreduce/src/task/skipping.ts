import type { BadRecord } from '../core/task.ts'
import type { Work } from './work.ts'

/** The records that an attempt leaves out: those that killed earlier attempts, and those that throw (MapReduce §4.6). */
export class Skipping {
  readonly #listed: ReadonlySet<string>
  readonly #max: number
  #thrown = 0
  readonly records: BadRecord[] = []

  constructor({ skip, skipMax }: Pick<Work, 'skip' | 'skipMax'>) {
    this.#listed = new Set(skip.map(({ file, offset }) => nameOf(file, offset)))
    this.#max = skipMax
  }

  /** Are records that throw left out at all? */
  get isOn(): boolean {
    return this.#max > 0
  }

  get mayAdd(): boolean {
    return this.#thrown < this.#max
  }

  isListed(file: string, offset: number): boolean {
    return this.#listed.size > 0 && this.#listed.has(nameOf(file, offset))
  }

  /** One that threw just now. */
  add(record: BadRecord): void {
    this.#thrown++
    this.records.push(record)
  }

  /** One of those listed. */
  leaveOut(record: BadRecord): void {
    this.records.push(record)
  }
}

function nameOf(file: string, offset: number): string {
  return `${String(offset)} ${file}`
}

/** The log of one group within the log that all groups of a process share. */
import { assert } from '@lab/rpc'
import { groupOf } from '../../record.ts'
import type { Entry } from '../../entry.ts'
import { StorageError, type StorageWrite } from '../../storage.ts'
import type { Index } from '../../types.ts'
import { entriesToAppend } from '../entries-to-append.ts'
import type { LogStart } from '../term-runs.ts'
import { withStorageErrors } from './errors.ts'
import type { LogState } from './log-state.ts'
import { readEntries } from './read-entries.ts'
import { Serial } from './serial.ts'
import type { SharedLog } from './shared-log.ts'

export class GroupLog {
  readonly group: number
  readonly state: LogState
  readonly #log: SharedLog
  readonly #serial = new Serial()
  #removed = false

  constructor(group: number, state: LogState, log: SharedLog) {
    this.group = group
    this.state = state
    this.#log = log
  }

  /** As `Storage.write`. */
  write(write: StorageWrite): Promise<void> {
    return this.#serial.run(() => this.#write(write))
  }

  #write({ entries, hardState }: StorageWrite): Promise<void> {
    this.#checkThere()
    const { terms } = this.state
    const appended = entriesToAppend(entries, terms)
    const [first] = appended
    if (first === undefined && hardState === null) return Promise.resolve()
    assert(
      first === undefined || groupOf(first) === this.group,
      'records name the group whose log they are in',
    )
    const replaces = first !== undefined && first.index <= terms.lastIndex
    const logStart = replaces ? this.#before(first.index) : null
    const part = { group: this.group, removed: false, hardState, logStart, entries: appended }
    return this.#log.append(part, (segment, position) => {
      for (const entry of appended) {
        this.state.put(entry, segment, position)
        position += entry.end - entry.start
      }
      if (hardState !== null) this.state.hardState = hardState
    })
  }

  /** A snapshot was committed. Entries after it stay when the log holds its last entry, else all are dropped (§7). */
  async adopt({ index, term }: LogStart): Promise<void> {
    await this.#serial.run(async () => {
      this.#checkThere()
      if (this.state.terms.holds(index, term)) return
      const logStart = { index, term }
      const part = { group: this.group, removed: false, hardState: null, logStart, entries: [] }
      await this.#log.append(part, () => this.state.restart(logStart))
    })
    await this.#log.trim()
  }

  async compact(index: Index): Promise<void> {
    this.#log.checkSound()
    if (index <= this.state.terms.start.index) return
    this.state.removeTo(index)
    await this.#log.trim()
  }

  read(first: Index, last: Index, bytesMax: number): Promise<readonly Entry[]> {
    return withStorageErrors(() => readEntries(this.#readable, first, last, bytesMax))
  }

  /** Writes again what is left of the log, all or nothing, so that the segments where it stood can go. */
  rewrite(): Promise<void> {
    return this.#serial.run(async () => {
      const { start, lastIndex } = this.state.terms
      if (this.#removed || lastIndex === start.index) return
      const entries = await readEntries(this.#readable, start.index + 1, lastIndex, Infinity)
      // Compacted whole meanwhile: nothing is left to be moved.
      if (entries.length === 0) return
      const part = { group: this.group, removed: false, hardState: null, logStart: start, entries }
      await this.#log.append(part, (segment, position) => this.state.moved(entries, segment, position))
    })
  }

  /** As {@link SharedLog.fail}. */
  fail(thrown: unknown): Error {
    return this.#log.fail(thrown)
  }

  /** Says for good that the group is no more. What is left of its log pins nothing once this is durable. */
  remove(): Promise<void> {
    return this.#serial.run(async () => {
      const part = { group: this.group, removed: true, hardState: null, logStart: null, entries: [] }
      await this.#log.append(part, (segment) => {
        this.#removed = true
        this.#log.forget(this.group, segment)
      })
    })
  }

  #checkThere(): void {
    if (this.#removed) throw new StorageError('CLOSED', `group ${String(this.group)} was removed`)
  }

  /** After which entry the log goes on at `index`. */
  #before(index: Index): LogStart {
    const term = this.state.terms.termAt(index - 1)
    assert(term !== null, `entry ${String(index - 1)} should be in the log`)
    return { index: index - 1, term }
  }

  /** Waits for what is under way. */
  idle(): Promise<void> {
    return this.#serial.idle()
  }

  get #readable(): Parameters<typeof readEntries>[0] {
    return { group: this.group, state: this.state, segments: this.#log.segments }
  }
}

/** The log of one group within the log that all groups of a process share. */
import { assert } from '@lab/rpc'
import { groupOf } from '../../record.ts'
import type { Entry } from '../../entry.ts'
import { StorageError, type StorageWrite } from '../../storage.ts'
import type { Index } from '../../types.ts'
import { entriesToAppend } from '../entries-to-append.ts'
import type { LogStart } from '../term-runs.ts'
import { withStorageErrors } from './errors.ts'
import { LogState } from './log-state.ts'
import type { Pace } from './pace.ts'
import { readEntries } from './read-entries.ts'
import { ReadMemory } from './read-memory.ts'
import { Serial } from './serial.ts'
import type { SharedLog } from './shared-log.ts'

/** The beginning of the log as it was written again, and `cuts` of the log then. */
interface Copies {
  readonly log: LogState
  readonly cuts: number
}

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
      this.state.putAll(appended, segment, position)
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

  /**
   * Writes again what is left of the log, so that the segments where it stood can go. Other writes, of this group too, go between the
   * pieces, and while one is read: as copies they change nothing until the last one says that they count.
   */
  async rewrite(pieceBytes: number, pace: Pace): Promise<void> {
    const memory = new ReadMemory()
    let copies: Copies | null = this.#continued(null)
    let size = pieceBytes
    let usual = 1 + (2 * this.state.positions.bytes) / pieceBytes
    while (copies !== null && !this.#removed && !this.#log.closing) {
      const before: Copies = this.#continued(copies)
      // What stands here and there among the entries of others takes many reads.
      const { lastIndex } = this.state.terms
      const read = await this.#copied(before, lastIndex, size, memory)
      copies = await this.#serial.run(() => this.#copy(before, read, lastIndex))
      // Who writes faster than is copied must not keep this going.
      if (usual-- <= 0) size *= 2
      else if (copies !== null) await pace.copied(size)
    }
  }

  /** The next piece, as of this moment. The one before is written. */
  #copied({ log }: Copies, last: Index, bytesMax: number, memory: ReadMemory): Promise<Entry[]> {
    memory.begin()
    return readEntries(this.#readable, log.terms.lastIndex + 1, last, bytesMax, memory.take)
  }

  /**
   * Copies a piece that was read when the log ended at `last`; when it reaches to there, with what was written since: a little.
   *
   * @returns null when nothing is left to be copied
   */
  async #copy(copies: Copies, read: readonly Entry[], last: Index): Promise<Copies | null> {
    const { terms } = this.state
    if (this.#removed || terms.lastIndex === terms.start.index) return null
    // What was read is not what the log holds, or not its beginning.
    if (this.#continued(copies) !== copies) return copies
    const { lastIndex: index, lastTerm: term } = copies.log.terms
    const after = { index, term }
    const until = read.at(-1)?.index ?? index
    const since =
      until === last ? await readEntries(this.#readable, until + 1, terms.lastIndex, Infinity) : []
    const entries = [...read, ...since]
    const isLast = (entries.at(-1)?.index ?? terms.lastIndex) === terms.lastIndex
    const place = isLast ? { logStart: after } : { logStart: null, copiesAfter: after }
    await this.#log.append(
      { group: this.group, removed: false, hardState: null, ...place, entries },
      (segment, position) => {
        copies.log.positions.breakOff()
        copies.log.putAll(entries, segment, position)
        this.state.positions.breakOff()
        if (isLast) this.state.moved(copies.log)
      },
      { isCopy: true },
    )
    return isLast ? null : copies
  }

  /** Anew when the log begins later by now, or goes on otherwise. */
  #continued(copies: Copies | null): Copies {
    const { terms, cuts } = this.state
    if (copies?.cuts === cuts && copies.log.terms.lastIndex >= terms.start.index) return copies
    const log = new LogState()
    log.restart(terms.start)
    return { log, cuts }
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

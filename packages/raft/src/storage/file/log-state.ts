/** What batches amount to for one group: the same for those read back at the start and those written since. */
import { EntryKind, payloadOf, type Entry } from '../../entry.ts'
import type { HardState, Index } from '../../types.ts'
import { TermRuns, type LogStart } from '../term-runs.ts'
import { corrupt } from './errors.ts'
import { viewOf } from './format.ts'
import { Positions } from './positions.ts'

const utf8 = new TextDecoder('utf-8', { fatal: true })

/** What the log of one group says, without the entries themselves. */
export class LogState {
  hardState: HardState = { currentTerm: 0, votedFor: '' }
  terms = new TermRuns()
  positions = new Positions()
  /** Configuration entries in order; copies, so that they pin no segment's bytes. */
  configurations: readonly Entry[] = []
  /** Log time of the last entry; 0 when there is none. */
  lastTime = 0
  /** Anything of this group is on disk: new segments repeat its term, vote and log start. */
  written = false
  /** How often entries at its end were replaced or dropped: copies made before may be of others. */
  cuts = 0
  /** While the log is read back: copies of entries, and of how many more it was said that they follow. They do not count yet. */
  #copies: LogState | null = null
  #copiesToCome = 0

  /** Takes note of an entry whose record stands at `position`. */
  put(entry: Entry, segment: number, position: number): void {
    if (entry.index <= this.terms.lastIndex) this.#cut()
    this.terms.put(entry.index, entry.term)
    this.positions.put(entry.index, segment, position, entry.end - entry.start)
    this.lastTime = entry.time
    if ((this.configurations.at(-1)?.index ?? 0) >= entry.index)
      this.configurations = this.configurations.filter(({ index }) => index < entry.index)
    if (entry.kind === EntryKind.configuration) this.configurations = [...this.configurations, copyOf(entry)]
  }

  /** The same for entries whose records stand side by side from `position` on. */
  putAll(entries: readonly Entry[], segment: number, position: number): void {
    for (const entry of entries) {
      this.put(entry, segment, position)
      position += entry.end - entry.start
    }
  }

  /** All that is left of the log stands where `copies` says. */
  moved({ positions }: LogState): void {
    const { start, lastIndex } = this.terms
    this.positions = positions
    if (lastIndex === start.index) positions.clear()
    else positions.removeBefore(start.index + 1)
  }

  /** Begins the log anew after `start`. */
  restart({ index, term }: LogStart): void {
    this.#cut()
    this.terms = new TermRuns({ index, term })
    this.positions.clear()
    this.configurations = []
    this.lastTime = 0
  }

  /** Forgets entries up to and including `index`. */
  removeTo(index: Index): void {
    this.terms.removeTo(index)
    if (index === this.terms.lastIndex) this.positions.clear()
    else this.positions.removeBefore(index + 1)
    this.configurations = this.configurations.filter((configuration) => configuration.index > index)
  }

  /** A record read back. @param segment for the message when the record cannot follow what came before */
  replay(record: Entry, segment: { readonly number: number; readonly path: string }): void {
    this.written = true
    if (this.#copies !== null && this.#copiesToCome > 0) {
      this.#copiesToCome--
      this.#copies.#append(record, segment)
    } else if (record.kind === EntryKind.hardState)
      this.hardState = { currentTerm: record.term, votedFor: utf8.decode(payloadOf(record)) }
    else if (record.kind === EntryKind.copies) this.#beginCopies(record)
    else if (record.kind === EntryKind.logStart) this.#startAfter(record)
    else this.#append(record, segment)
  }

  #cut(): void {
    this.cuts++
    this.#copies = null
  }

  #beginCopies(record: Entry): void {
    const { index, term } = record
    if (!endsWith(this.#copies, record)) {
      this.#copies = new LogState()
      this.#copies.restart({ index, term })
    }
    this.#copiesToCome = viewOf(payloadOf(record)).getUint32(0, true)
    this.#copies?.positions.breakOff()
    this.positions.breakOff()
  }

  /** Where the beginning of the log is gone and copies of it reach to there, they are the beginning. */
  #startAfter({ index, term }: LogStart): void {
    const copies = this.#copies
    if (endsWith(copies, { index, term }) && copies.terms.start.index < this.terms.start.index) {
      this.terms = copies.terms
      this.positions = copies.positions
      this.positions.breakOff()
      this.configurations = copies.configurations
      this.lastTime = copies.lastTime
      this.#copies = null
    } else if (!this.terms.holds(index, term)) this.restart({ index, term })
  }

  #append(entry: Entry, segment: { readonly number: number; readonly path: string }): void {
    const { terms } = this
    if (entry.index <= terms.start.index || entry.index > terms.lastIndex + 1)
      throw corrupt(
        `${segment.path}, offset ${String(entry.start)}: entry ${String(entry.index)} cannot follow entry ` +
          `${String(terms.lastIndex)} of a log that starts after ${String(terms.start.index)}`,
      )
    this.put(entry, segment.number, entry.start)
  }
}

function endsWith(log: LogState | null, { index, term }: LogStart): log is LogState {
  return log?.terms.lastIndex === index && log.terms.lastTerm === term
}

function copyOf(entry: Entry): Entry {
  const slab = entry.slab.slice(entry.start, entry.end)
  return { ...entry, slab, start: 0, end: slab.length }
}

/** What batches amount to: the same for those read back at the start and those written since. */
import { EntryKind, payloadOf, type Entry } from '../../entry.ts'
import type { HardState, Index } from '../../types.ts'
import { TermRuns, type LogStart } from '../term-runs.ts'
import { corrupt } from './errors.ts'
import { Positions } from './positions.ts'

const utf8 = new TextDecoder('utf-8', { fatal: true })

/** What a log says, without the entries themselves. */
export class LogState {
  hardState: HardState = { currentTerm: 0, votedFor: '' }
  terms = new TermRuns()
  readonly positions = new Positions()
  /** Of the last batch; 0 before the first. */
  sequence = 0

  /** Takes note of an entry whose record stands at `position`. */
  put(entry: Entry, segment: number, position: number): void {
    this.terms.put(entry.index, entry.term)
    this.positions.put(entry.index, segment, position)
  }

  /** Begins the log anew after `start`. */
  restart(start: LogStart): void {
    this.terms = new TermRuns({ index: start.index, term: start.term })
    this.positions.clear()
  }

  /** Forgets entries up to and including `index`. */
  removeTo(index: Index): void {
    this.terms.removeTo(index)
    if (index === this.terms.lastIndex) this.positions.clear()
    else this.positions.removeBefore(index + 1)
  }
}

/** A log state that grows record by record, and what only a start needs to know besides. */
export class Replay {
  readonly state = new LogState()
  /** In order; copies, so that they pin no segment's bytes. */
  configurations: Entry[] = []
  /** Log time of the last entry; 0 when there is none. */
  lastTime = 0

  /** @param path for the message when the record cannot follow what came before */
  apply(record: Entry, segment: { readonly number: number; readonly path: string }): void {
    if (record.kind === EntryKind.hardState) this.#setHardState(record)
    else if (record.kind === EntryKind.logStart) this.#setStart(record)
    else this.#append(record, segment)
  }

  /** As {@link LogState.restart}. */
  restart(start: LogStart): void {
    this.state.restart(start)
    this.configurations = []
    this.lastTime = 0
  }

  #setHardState(record: Entry): void {
    this.state.hardState = { currentTerm: record.term, votedFor: utf8.decode(payloadOf(record)) }
  }

  #setStart({ index, term }: Entry): void {
    if (!this.state.terms.holds(index, term)) this.restart({ index, term })
  }

  #append(entry: Entry, segment: { readonly number: number; readonly path: string }): void {
    const { terms } = this.state
    if (entry.index <= terms.start.index || entry.index > terms.lastIndex + 1)
      throw corrupt(
        `${segment.path}, offset ${String(entry.start)}: entry ${String(entry.index)} cannot follow entry ` +
          `${String(terms.lastIndex)} of a log that starts after ${String(terms.start.index)}`,
      )
    this.state.put(entry, segment.number, entry.start)
    this.lastTime = entry.time
    if ((this.configurations.at(-1)?.index ?? 0) >= entry.index)
      this.configurations = this.configurations.filter(({ index }) => index < entry.index)
    if (entry.kind === EntryKind.configuration) this.configurations.push(copyOf(entry))
  }
}

function copyOf(entry: Entry): Entry {
  const slab = entry.slab.slice(entry.start, entry.end)
  return { ...entry, slab, start: 0, end: slab.length }
}

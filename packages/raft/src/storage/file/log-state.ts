/** What batches amount to for one group: the same for those read back at the start and those written since. */
import { EntryKind, payloadOf, type Entry } from '../../entry.ts'
import type { HardState, Index } from '../../types.ts'
import { TermRuns, type LogStart } from '../term-runs.ts'
import { corrupt } from './errors.ts'
import { Positions } from './positions.ts'

const utf8 = new TextDecoder('utf-8', { fatal: true })

/** What the log of one group says, without the entries themselves. */
export class LogState {
  hardState: HardState = { currentTerm: 0, votedFor: '' }
  terms = new TermRuns()
  readonly positions = new Positions()
  /** Configuration entries in order; copies, so that they pin no segment's bytes. */
  configurations: readonly Entry[] = []
  /** Log time of the last entry; 0 when there is none. */
  lastTime = 0
  /** Anything of this group is on disk: new segments repeat its term, vote and log start. */
  written = false

  /** Takes note of an entry whose record stands at `position`. */
  put(entry: Entry, segment: number, position: number): void {
    this.terms.put(entry.index, entry.term)
    this.positions.put(entry.index, segment, position, entry.end - entry.start)
    this.lastTime = entry.time
    if ((this.configurations.at(-1)?.index ?? 0) >= entry.index)
      this.configurations = this.configurations.filter(({ index }) => index < entry.index)
    if (entry.kind === EntryKind.configuration) this.configurations = [...this.configurations, copyOf(entry)]
  }

  /** All that is left of the log stands in `segment` now, side by side from `position` on. */
  moved(entries: readonly Entry[], segment: number, position: number): void {
    this.positions.clear()
    for (const { index, start, end } of entries) {
      if (index > this.terms.start.index) this.positions.put(index, segment, position, end - start)
      position += end - start
    }
  }

  /** Begins the log anew after `start`. */
  restart({ index, term }: LogStart): void {
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
    if (record.kind === EntryKind.hardState)
      this.hardState = { currentTerm: record.term, votedFor: utf8.decode(payloadOf(record)) }
    else if (record.kind !== EntryKind.logStart) this.#append(record, segment)
    else if (!this.terms.holds(record.index, record.term)) this.restart(record)
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

function copyOf(entry: Entry): Entry {
  const slab = entry.slab.slice(entry.start, entry.end)
  return { ...entry, slab, start: 0, end: slab.length }
}

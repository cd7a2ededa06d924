import type { TraceSink } from '@lab/rpc'
import type { Change, CoreStatus, Ready, Write } from '../core/ready.ts'
import { crcOf, type Entry } from '../entry.ts'
import type { TermRun } from '../storage.ts'
import type { NodeId, SnapshotMeta } from '../types.ts'

/** Tells the trace what happens at one server. Made only when there is a sink: without one nothing is spent. */
export class RaftTrace {
  readonly #sink: TraceSink
  readonly #n: NodeId

  constructor(sink: TraceSink, id: NodeId) {
    this.#sink = sink
    this.#n = id
  }

  /** @param terms of the log that the disk gave back */
  start(status: CoreStatus, terms: readonly TermRun[], notes: readonly string[]): void {
    const { currentTerm: term, lastIndex, snapshotIndex, membership } = status
    const { voters, votersOutgoing } = membership
    const runs = terms.map((run) => [run.first, run.term])
    this.#emit('start', { term, lastIndex, snapshotIndex, voters, votersOutgoing, terms: runs })
    for (const text of notes) this.note('start', text)
  }

  stop(why: string): void {
    this.#emit('stop', { why })
  }

  note(topic: string, text: string): void {
    this.#emit('note', { topic, text })
  }

  stall(millis: number): void {
    this.#emit('stall', { millis })
  }

  /**
   * What the core did, before anybody else hears of it. In the order in which one thing rests on another: what is committed may
   * be entries that this turn's write brings.
   *
   * @param votedFor as it is now
   */
  ready({ changes, write }: Ready, votedFor: NodeId): void {
    for (const change of changes) if (change.type !== 'committed') this.#change(change, votedFor)
    if (write !== null) this.#append(write)
    for (const change of changes)
      if (change.type === 'committed') this.#emit('commit', { index: change.index })
  }

  #change(change: Exclude<Change, { readonly type: 'committed' }>, votedFor: NodeId): void {
    switch (change.type) {
      case 'role': {
        const { role, term, leader, why } = change
        this.#emit('role', { role, term, votedFor, leader, why })
        return
      }
      case 'refused':
        this.#emit('refuse', { to: change.to, type: change.what, term: change.term, why: change.why })
        return
      case 'truncated':
        this.#emit('truncate', { from: change.from, why: change.why })
        return
      case 'membership': {
        const { voters, votersOutgoing, learners } = change.membership
        this.#emit('config', { index: change.index, voters, votersOutgoing, learners })
      }
    }
  }

  #append({ entries }: Write): void {
    const range = rangeOf(entries)
    if (range !== null) this.#emit('append', { ...range, terms: runsOf(entries), crcs: entries.map(crcOf) })
  }

  persisted({ id, entries, hardState }: Write, bytes: number, millis: number): void {
    const range = rangeOf(entries)
    const state = hardState === null ? {} : { term: hardState.currentTerm, votedFor: hardState.votedFor }
    const span = { first: range?.first ?? 0, last: range?.last ?? 0 }
    this.#emit('persist', { write: id, ...span, ...state, bytes, micros: Math.round(millis * 1000) })
  }

  apply({ index, term }: Entry): void {
    this.#emit('apply', { index, term })
  }

  snapshot({ index, term }: SnapshotMeta, bytes: number, why: string): void {
    this.#emit('snapshot', { index, term, bytes, why })
  }

  installed({ index, term }: SnapshotMeta, bytes: number): void {
    this.#emit('snapshot', { index, term, bytes, installed: true, why: 'sent by the leader' })
  }

  #emit(k: Parameters<TraceSink>[0]['k'], fields: Record<string, unknown>): void {
    this.#sink({ n: this.#n, k, ...fields })
  }
}

function rangeOf(entries: readonly Entry[]): { first: number; last: number; term: number } | null {
  const first = entries[0]
  const last = entries.at(-1)
  return first === undefined || last === undefined
    ? null
    : { first: first.index, last: last.index, term: last.term }
}

function runsOf(entries: readonly Entry[]): [first: number, term: number][] {
  const runs: [number, number][] = []
  for (const { index, term } of entries) if (runs.at(-1)?.[1] !== term) runs.push([index, term])
  return runs
}

import type { TraceSink } from '@lab/rpc'
import type { Change, Write } from '../core/ready.ts'
import type { CoreStatus } from '../core/ready.ts'
import type { Entry } from '../entry.ts'
import type { NodeId, SnapshotMeta } from '../types.ts'

/** Tells the trace what happens at one server. Made only when there is a sink: without one nothing is spent. */
export class RaftTrace {
  readonly #sink: TraceSink
  readonly #n: NodeId

  constructor(sink: TraceSink, id: NodeId) {
    this.#sink = sink
    this.#n = id
  }

  start(status: CoreStatus, notes: readonly string[]): void {
    const { currentTerm: term, lastIndex, snapshotIndex, membership } = status
    this.#emit('start', { term, lastIndex, snapshotIndex, members: membership.voters })
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

  /** What the core did of its own, `votedFor` being what it is now. */
  change(change: Change, votedFor: NodeId): void {
    switch (change.type) {
      case 'role':
        this.#emit('role', {
          role: change.role,
          term: change.term,
          votedFor,
          leader: change.leader,
          why: change.why,
        })
        return
      case 'refused':
        this.#emit('refuse', { to: change.to, type: change.what, term: change.term, why: change.why })
        return
      case 'truncated':
        this.#emit('truncate', { from: change.from, why: change.why })
        return
      case 'committed':
        this.#emit('commit', { index: change.index })
        return
      case 'membership':
        this.note('membership', `voters ${change.membership.voters.join(', ')} as of index ${change.index}`)
    }
  }

  append({ entries }: Write): void {
    const range = rangeOf(entries)
    if (range !== null) this.#emit('append', { first: range.first, last: range.last, term: range.term })
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

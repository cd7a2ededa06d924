import type { TraceFields, TraceSink } from '@lab/rpc'
import type { Change, CoreStatus, Input, Ready, Write } from '../core/ready.ts'
import { crcOf, type Entry } from '../entry.ts'
import type { TermRun } from '../storage.ts'
import type { NodeId, SnapshotMeta } from '../types.ts'
import type { Proposing } from './pending-proposals.ts'

/**
 * Tells the trace what happens at one server, and what each thing came of: the message received, the timer, the write that was
 * done. Made only when there is a sink: without one nothing is spent.
 */
export class RaftTrace {
  /** For the RPC below: the same, which takes note of what is received, and says what the messages sent came of. */
  readonly sink: TraceSink
  readonly #sink: TraceSink
  readonly #n: NodeId
  /** The group; undefined for group 0. */
  readonly #g: number | undefined
  /** What has to do with messages, whatever group they are for. */
  readonly #messages: { received: number; sending: number }
  #persisted = 0
  #applied = { index: 0, term: 0, event: 0 }
  #calls = 0

  /** @param host that of the process, which sees the messages; none for itself */
  constructor(sink: TraceSink, id: NodeId, group = 0, host?: RaftTrace) {
    this.#sink = sink
    this.#n = id
    this.#g = group === 0 ? undefined : group
    const messages = host === undefined ? { received: 0, sending: 0 } : host.#messages
    this.#messages = messages
    this.sink = Object.assign(
      (event: TraceFields) => {
        const isCaused = event.k === 'send' && messages.sending !== 0
        const index = sink(isCaused ? { ...event, c: messages.sending } : event)
        if (event.k === 'recv') messages.received = index
        return index
      },
      { messages: sink.messages !== false },
    )
  }

  /** For one of the groups of the process. */
  of(group: number): RaftTrace {
    return new RaftTrace(this.#sink, this.#n, group, this)
  }

  /** What to call the input, as a cause of others. By now it has happened, and nothing else has since. */
  causeOf(input: Input): number {
    if (input.type === 'message') return this.#messages.received
    if (input.type === 'persisted') return this.#persisted
    if (input.type !== 'deadline') return 0
    return this.#sink({ n: this.#n, g: this.#g, k: 'timer', what: 'deadline' })
  }

  /** The next messages came of this. @param cause 0 for the end of that */
  sending(cause = 0): void {
    this.#messages.sending = cause
  }

  /** Commands are proposed here. @returns the last one's event, and whom to tell how each has ended */
  call(
    payloads: readonly Uint8Array[],
    proposing: Proposing,
  ): { readonly event: number; readonly told: Proposing } {
    const n = this.#n
    const g = this.#g
    const first = this.#calls + 1
    let event = 0
    for (const { length: bytes } of payloads)
      event = this.#sink({ n, g, k: 'call', client: n, id: ++this.#calls, op: 'propose', bytes })
    const told: Proposing = {
      applied: (place, reply) => {
        const { index, term, event: c } = this.#applied
        const id = first + place
        this.#sink({ n, g, k: 'return', client: n, id, outcome: 'ok', index, term, c })
        proposing.applied(place, reply)
      },
      failed: (place, error) => {
        const { outcome = 'unknown', message: why } = error
        this.#emit('return', { client: this.#n, id: first + place, outcome, why })
        proposing.failed(place, error)
      },
    }
    return { event, told }
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
   * @param core as it is now
   * @param cause what the write came of
   */
  ready({ changes, write }: Ready, core: { status(): CoreStatus }, cause: number): void {
    for (const change of changes) if (change.type !== 'committed') this.#change(change, core)
    if (write !== null) this.#append(write, cause)
    for (const change of changes)
      if (change.type === 'committed')
        this.#sink({ n: this.#n, g: this.#g, k: 'commit', index: change.index, c: known(change.cause) })
  }

  #change(change: Exclude<Change, { readonly type: 'committed' }>, core: { status(): CoreStatus }): void {
    switch (change.type) {
      case 'role': {
        const { role, term, leader, why } = change
        const { votedFor } = core.status()
        this.#emit('role', { role, term, votedFor, leader, why, ...because(change) })
        return
      }
      case 'refused':
        this.#emit('refuse', {
          ...{ to: change.to, type: change.what, term: change.term, why: change.why },
          ...because(change),
        })
        return
      case 'truncated':
        this.#emit('truncate', { from: change.from, why: change.why, ...because(change) })
        return
      case 'membership': {
        const { voters, votersOutgoing, learners } = change.membership
        this.#emit('config', {
          ...{ index: change.index, voters, votersOutgoing, learners },
          ...because(change),
        })
        return
      }
      case 'reconfigured':
        this.note('membership', change.failure ?? `done as of index ${change.membership.index}`)
    }
  }

  // Of nearly every write there are these three: each is one literal, which is many times quicker than one put together of parts.

  #append({ entries }: Write, cause: number): void {
    const last = entries.at(-1)
    if (last === undefined) return
    this.#sink({
      n: this.#n,
      g: this.#g,
      k: 'append',
      first: firstOf(entries),
      last: last.index,
      term: last.term,
      terms: runsOf(entries),
      crcs: entries.map(crcOf),
      c: known(cause),
    })
  }

  persisted({ id, entries, hardState }: Write, bytes: number, millis: number): void {
    this.#persisted = this.#sink({
      n: this.#n,
      g: this.#g,
      k: 'persist',
      write: id,
      first: firstOf(entries),
      last: entries.at(-1)?.index ?? 0,
      term: hardState?.currentTerm,
      votedFor: hardState?.votedFor,
      bytes,
      micros: Math.round(millis * 1000),
    })
  }

  apply({ index, term }: Entry): void {
    this.#applied = { index, term, event: this.#sink({ n: this.#n, g: this.#g, k: 'apply', index, term }) }
  }

  snapshot({ index, term }: SnapshotMeta, bytes: number, why: string): void {
    this.#emit('snapshot', { index, term, bytes, why })
  }

  installed({ index, term }: SnapshotMeta, bytes: number): void {
    this.#emit('snapshot', { index, term, bytes, installed: true, why: 'sent by the leader' })
  }

  #emit(k: TraceFields['k'], fields: Record<string, unknown>): number {
    return this.#sink({ n: this.#n, g: this.#g, k, ...fields })
  }
}

function because({ cause }: { readonly cause?: number }): { readonly c?: number | undefined } {
  return { c: known(cause) }
}

/** 0 says that nobody knows. */
function known(cause: number | undefined): number | undefined {
  return cause === 0 ? undefined : cause
}

/** 0 for none. */
function firstOf(entries: readonly Entry[]): number {
  return entries[0]?.index ?? 0
}

function runsOf(entries: readonly Entry[]): [first: number, term: number][] {
  const runs: [number, number][] = []
  for (const { index, term } of entries) if (runs.at(-1)?.[1] !== term) runs.push([index, term])
  return runs
}

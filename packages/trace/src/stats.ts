/** A story in numbers: elections, messages, latencies, faults. Holds no events. */
import type { TraceEvent } from '@lab/rpc'
import { numberOf, textOf } from './fields.ts'
import type { TimedEvent } from './parse.ts'
import { Spread, type SpreadSummary } from './spread.ts'

export interface TraceSummary {
  readonly events: number
  /** From the first event to the last. */
  readonly seconds: number
  readonly nodes: readonly string[]
  readonly highestTerm: number
  /** Who became leader, in which term, when. */
  readonly elections: readonly Election[]
  readonly campaigns: number
  /** By type. */
  readonly messages: Readonly<Record<string, MessageCount>>
  /** The highest index that anybody committed. */
  readonly committed: number
  /** Milliseconds from a leader's append of an entry to its commit there. */
  readonly commitMs: SpreadSummary
  /** Milliseconds from call to return, by outcome. */
  readonly calls: Readonly<Record<string, SpreadSummary>>
  /** Milliseconds of one write to the disk. */
  readonly diskMs: SpreadSummary
  /** By what was refused. */
  readonly refusals: Readonly<Record<string, number>>
  readonly faults: Readonly<Record<string, number>>
}

export interface MessageCount {
  sent: number
  received: number
  dropped: number
  bytes: number
}

export interface Election {
  readonly seconds: number
  readonly node: string
  readonly term: number
  /** When there is more than one. */
  readonly group?: number
}

/** A leader's entries between append and commit. */
interface Awaiting {
  leads: boolean
  readonly since: Map<number, number>
}

export class TraceStats {
  #events = 0
  #first: number | null = null
  #last = 0
  #highestTerm = 0
  #campaigns = 0
  #committed = 0
  readonly #nodes = new Set<string>()
  readonly #elections: Election[] = []
  readonly #messages = new Map<string, MessageCount>()
  /** Messages lost on the way are told without their type. */
  readonly #types = new Map<string, string>()
  readonly #awaiting = new Map<string, Awaiting>()
  readonly #commitMs = new Spread()
  readonly #diskMs = new Spread()
  readonly #called = new Map<string, number>()
  readonly #calls = new Map<string, Spread>()
  readonly #refusals = new Map<string, number>()
  readonly #faults = new Map<string, number>()

  feed({ time, event }: TimedEvent): void {
    this.#events++
    this.#first ??= time
    this.#last = time
    if (event.n !== '') this.#nodes.add(event.n)
    if (event.k !== 'send' && event.k !== 'recv')
      this.#highestTerm = Math.max(this.#highestTerm, numberOf(event, 'term') ?? 0)
    this.#count(event, time)
  }

  summary(): TraceSummary {
    const spreads = [...this.#calls].map(([outcome, spread]) => [outcome, spread.summary()] as const)
    return {
      events: this.#events,
      seconds: this.#seconds(this.#last),
      nodes: [...this.#nodes].sort(),
      highestTerm: this.#highestTerm,
      elections: this.#elections,
      campaigns: this.#campaigns,
      messages: Object.fromEntries(this.#messages),
      committed: this.#committed,
      commitMs: this.#commitMs.summary(),
      calls: Object.fromEntries(spreads),
      diskMs: this.#diskMs.summary(),
      refusals: Object.fromEntries(this.#refusals),
      faults: Object.fromEntries(this.#faults),
    }
  }

  #count(event: TraceEvent, time: number): void {
    switch (event.k) {
      case 'send':
      case 'recv':
      case 'drop':
        this.#message(event)
        return
      case 'role':
        this.#role(event, time)
        return
      case 'append':
        this.#appended(event, time)
        return
      case 'commit':
        this.#commit(event, time)
        return
      case 'persist':
        this.#diskMs.add((numberOf(event, 'micros') ?? 0) / 1000)
        return
      case 'call':
        this.#called.set(callOf(event), time)
        return
      case 'return':
        this.#returned(event, time)
        return
      case 'refuse':
        count(this.#refusals, textOf(event, 'type') ?? '?')
        return
      case 'fault':
        count(this.#faults, textOf(event, 'what') ?? '?')
        return
      case 'stall':
        count(this.#faults, 'stall')
        return
      default: // nothing to be counted
    }
  }

  #message(event: TraceEvent): void {
    const { k, m = '' } = event
    const type =
      k === 'drop' ? (this.#types.get(m) ?? textOf(event, 'type') ?? '?') : (textOf(event, 'type') ?? '?')
    const of = this.#messages.get(type) ?? { sent: 0, received: 0, dropped: 0, bytes: 0 }
    this.#messages.set(type, of)
    if (k === 'send') {
      of.sent++
      of.bytes += numberOf(event, 'bytes') ?? 0
      this.#types.set(m, type)
    } else {
      if (k === 'recv') of.received++
      else of.dropped++
      this.#types.delete(m)
    }
  }

  #role(event: TraceEvent, time: number): void {
    const { n: node, g } = event
    const leads = event['role'] === 'leader'
    this.#waiting(event).leads = leads
    if (event['role'] === 'candidate') this.#campaigns++
    if (leads)
      this.#elections.push({
        ...{ seconds: this.#seconds(time), node, term: numberOf(event, 'term') ?? 0 },
        ...(g === undefined ? {} : { group: g }),
      })
  }

  #appended(event: TraceEvent, time: number): void {
    const { leads, since } = this.#waiting(event)
    if (!leads) return
    const last = numberOf(event, 'last') ?? 0
    for (let index = numberOf(event, 'first') ?? 1; index <= last; index++) since.set(index, time)
  }

  #commit(event: TraceEvent, time: number): void {
    const index = numberOf(event, 'index') ?? 0
    this.#committed = Math.max(this.#committed, index)
    const waiting = this.#waiting(event)
    for (const [entry, since] of waiting.since) {
      if (entry > index) break
      waiting.since.delete(entry)
      if (waiting.leads) this.#commitMs.add((time - since) / 1000)
    }
  }

  #returned(event: TraceEvent, time: number): void {
    const called = this.#called.get(callOf(event))
    if (called === undefined) return
    this.#called.delete(callOf(event))
    const outcome = textOf(event, 'outcome') ?? '?'
    const spread = this.#calls.get(outcome) ?? new Spread()
    this.#calls.set(outcome, spread)
    spread.add((time - called) / 1000)
  }

  /** Of a server in its group: each group has a log of its own. */
  #waiting({ n, g = 0 }: TraceEvent): Awaiting {
    const server = `${n} ${String(g)}`
    const waiting = this.#awaiting.get(server) ?? { leads: false, since: new Map<number, number>() }
    this.#awaiting.set(server, waiting)
    return waiting
  }

  #seconds(time: number): number {
    return (time - (this.#first ?? time)) / 1e6
  }
}

function callOf(event: TraceEvent): string {
  return `${textOf(event, 'client') ?? event.n}\0${String(numberOf(event, 'id') ?? '')}`
}

function count(counts: Map<string, number>, name: string): void {
  counts.set(name, (counts.get(name) ?? 0) + 1)
}

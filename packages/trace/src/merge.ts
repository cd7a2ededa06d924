/**
 * One story out of several traces: in the order of time, but no message arrives before it was sent, as clocks of several
 * machines, and of several processes on one, agree only so far.
 */
import type { TraceEvent } from '@lab/rpc'
import type { TimedEvent } from './parse.ts'
import type { TraceReader } from './read.ts'

interface Source {
  readonly nodes: readonly string[]
  readonly iterator: AsyncIterator<TimedEvent>
  next: TimedEvent
  /** Messages that it has sent, and that nobody has received yet. */
  readonly sent: Set<string>
  tellsSends: boolean
  /** Own numbers of events → numbers in the story, within one life. */
  numbers: Map<number, number>
  life: number
}

/** Nobody's clock is so far ahead: a message whose sending has not been seen by then is not in the files. */
const AHEAD_MICROS = 1_000_000
/** Messages that were lost are never received: the oldest are forgotten. */
const SENT_MAX = 100_000

/**
 * Merges. Events of a single trace keep their numbers, as far as it holds one life; otherwise the story has numbers of its own,
 * in `i` and in the causes `c`. Holds one event of each.
 */
export async function* mergeTraces(
  traces: readonly TraceReader[],
): AsyncGenerator<TimedEvent, void, undefined> {
  const [only] = traces
  if (only === undefined) return
  if (traces.length === 1) {
    yield* continued(only.events)
    return
  }
  const sources: Source[] = []
  for (const trace of traces) await open(trace, sources)
  for (let number = 1; sources.length > 0; number++) {
    const source = nextOf(sources)
    const { time, life, event } = source.next
    note(source, sources)
    yield { time, life, event: renumbered(source, life, event, number) }
    const following = await source.iterator.next()
    if (following.done === true) sources.splice(sources.indexOf(source), 1)
    else source.next = following.value
  }
}

/** A process that was started again counts from 1 again: its numbers go on from where the life before ended. */
async function* continued(events: AsyncIterable<TimedEvent>): AsyncGenerator<TimedEvent, void, undefined> {
  let base = 0
  let last = 0
  let lastLife = 0
  for await (const timed of events) {
    if (timed.life !== lastLife) base = last
    lastLife = timed.life
    last = base + timed.event.i
    yield base === 0 ? timed : { ...timed, event: shifted(timed.event, base) }
  }
}

function shifted(event: TraceEvent, base: number): TraceEvent {
  return { ...event, i: event.i + base, ...(event.c === undefined ? {} : { c: event.c + base }) }
}

async function open({ header, events }: TraceReader, sources: Source[]): Promise<void> {
  const iterator = events[Symbol.asyncIterator]()
  const first = await iterator.next()
  if (first.done === true) return
  sources.push({
    ...{ nodes: header.nodes ?? [], iterator, next: first.value, sent: new Set<string>() },
    ...{ tellsSends: false, numbers: new Map<number, number>(), life: 0 },
  })
}

/** The earliest; or, when that is the arrival of a message, first what its sender did up to sending it. */
function nextOf(sources: readonly Source[]): Source {
  let source = sources.reduce((a, b) => (b.next.time < a.next.time ? b : a))
  const waiting = new Set<Source>()
  for (;;) {
    const sender = waiting.has(source) ? undefined : senderToHear(source, sources)
    if (sender === undefined) return source
    waiting.add(source)
    source = sender
  }
}

function senderToHear({ next: { event, time } }: Source, sources: readonly Source[]): Source | undefined {
  if (event.k !== 'recv' || event.m === undefined) return undefined
  const from = event['from']
  const sender = sources.find(({ nodes }) => typeof from === 'string' && nodes.includes(from))
  if (sender === undefined || sender.sent.has(event.m)) return undefined
  // Somebody may have asked for other kinds of events only.
  if (!sender.tellsSends && sender.next.event.k !== 'send') return undefined
  return sender.next.time < time + AHEAD_MICROS ? sender : undefined
}

function note(source: Source, sources: readonly Source[]): void {
  const { k, m } = source.next.event
  if (m === undefined) return
  if (k === 'send') {
    source.tellsSends = true
    source.sent.add(m)
    const [oldest] = source.sent
    if (source.sent.size > SENT_MAX && oldest !== undefined) source.sent.delete(oldest)
  } else if (k === 'recv') for (const { sent } of sources) sent.delete(m)
}

function renumbered(source: Source, life: number, event: TraceEvent, number: number): TraceEvent {
  if (life !== source.life) source.numbers = new Map()
  source.life = life
  source.numbers.set(event.i, number)
  const { c, ...rest } = event
  const cause = c === undefined ? undefined : source.numbers.get(c)
  return { ...rest, i: number, ...(cause === undefined ? {} : { c: cause }) }
}

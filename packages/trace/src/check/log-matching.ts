import type { TraceEvent } from '@lab/rpc'
import { numberOf, termRunsOf, type TermRuns } from '../fields.ts'
import { at, type Property } from './property.ts'
import type { Server } from './world.ts'

/** What an entry (index, term) was when it was first seen anywhere. */
interface Seen {
  readonly term: number
  readonly server: string
  /** Undefined when the trace does not tell. */
  readonly prevTerm: number | undefined
  readonly crc: number | undefined
}

/**
 * By induction: when every entry (index, term) has the same content and stands behind an entry of the same term in every
 * log, then logs that share it share all before it. So each entry is looked at once for each log that takes it.
 */
export const logMatching: Property = {
  rule: 'logMatching',
  kinds: ['append'],
  watch: () => {
    /** By index; few terms each. */
    const seen: Seen[][] = []
    return (event, server) => {
      const runs = event.k === 'append' ? termRunsOf(event, 'terms') : undefined
      if (runs === undefined) return null
      for (const entry of entriesOf(event, runs, server)) {
        const { index, now } = entry
        if (now.prevTerm !== undefined && now.prevTerm > now.term)
          return `${server.id} puts ${at(index, now.term)} behind an entry of term ${String(now.prevTerm)}: terms never decrease along a log`
        const others = (seen[index] ??= [])
        const before = others.find(({ term }) => term === now.term)
        if (before === undefined) others.push(now)
        const why = before === undefined ? null : difference(before, now, index)
        if (why !== null) return why
      }
      return null
    }
  },
}

function* entriesOf(
  event: TraceEvent,
  runs: TermRuns,
  { id, log }: Server,
): Generator<{ readonly index: number; readonly now: Seen }, void, undefined> {
  const first = numberOf(event, 'first') ?? 1
  const last = numberOf(event, 'last') ?? 0
  const crcs = Array.isArray(event['crcs']) ? (event['crcs'] as readonly unknown[]) : []
  let prevTerm = log?.termAt(first - 1)
  let run = 0
  for (let index = first; index <= last; index++) {
    while ((runs[run + 1]?.[0] ?? Infinity) <= index) run++
    const term = runs[run]?.[1]
    if (term === undefined) return
    const crc = crcs[index - first]
    yield { index, now: { term, server: id, prevTerm, crc: typeof crc === 'number' ? crc : undefined } }
    prevTerm = term
  }
}

function difference(before: Seen, now: Seen, index: number): string | null {
  const entry = at(index, now.term)
  if (before.crc !== undefined && now.crc !== undefined && before.crc !== now.crc)
    return `entry ${entry} of ${now.server} holds something else than that of ${before.server}`
  if (before.prevTerm === undefined || now.prevTerm === undefined || before.prevTerm === now.prevTerm)
    return null
  return `${before.server} has ${entry} behind an entry of term ${String(before.prevTerm)}, ${now.server} behind one of term ${String(now.prevTerm)}`
}

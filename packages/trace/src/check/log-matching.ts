import { numberOf, termRunsOf } from '../fields.ts'
import { at, type Property } from './property.ts'

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
      const first = numberOf(event, 'first') ?? 1
      const last = numberOf(event, 'last') ?? 0
      const crcs = Array.isArray(event['crcs']) ? (event['crcs'] as readonly unknown[]) : []
      let prevTerm = server.log?.termAt(first - 1)
      let run = 0
      for (let index = first; index <= last; index++) {
        while ((runs[run + 1]?.[0] ?? Infinity) <= index) run++
        const term = runs[run]?.[1]
        if (term === undefined) return null
        const crc = crcs[index - first]
        const now = { term, server: server.id, prevTerm, crc: typeof crc === 'number' ? crc : undefined }
        const why = decreases(now, index) ?? firstOrSame((seen[index] ??= []), now, index)
        if (why !== null) return why
        prevTerm = term
      }
      return null
    }
  },
}

function decreases({ server, term, prevTerm }: Seen, index: number): string | null {
  if (prevTerm === undefined || prevTerm <= term) return null
  return `${server} puts ${at(index, term)} behind an entry of term ${String(prevTerm)}: terms never decrease along a log`
}

function firstOrSame(others: Seen[], now: Seen, index: number): string | null {
  for (const before of others) if (before.term === now.term) return difference(before, now, index)
  others.push(now)
  return null
}

function difference(before: Seen, now: Seen, index: number): string | null {
  const entry = at(index, now.term)
  if (before.crc !== undefined && now.crc !== undefined && before.crc !== now.crc)
    return `entry ${entry} of ${now.server} holds something else than that of ${before.server}`
  if (before.prevTerm === undefined || now.prevTerm === undefined || before.prevTerm === now.prevTerm)
    return null
  return `${before.server} has ${entry} behind an entry of term ${String(before.prevTerm)}, ${now.server} behind one of term ${String(now.prevTerm)}`
}

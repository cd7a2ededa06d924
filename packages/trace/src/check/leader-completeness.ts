import { numberOf } from '../fields.ts'
import { at, type Property } from './property.ts'
import type { Server, World } from './world.ts'

/** With log matching it is enough to look at the last committed entry: whoever has it has all before it. */
export const leaderCompleteness: Property = {
  rule: 'leaderCompleteness',
  kinds: ['role'],
  watch: () => (event, server, world) => {
    if (event.k === 'role' && event['role'] === 'leader')
      return lacks(server, numberOf(event, 'term') ?? 0, world)
    return null
  },
}

function lacks({ id, log }: Server, leaderTerm: number, { committed, committedIndex }: World): string | null {
  const last = committed[committedIndex]
  if (log === null || last === undefined || last.term > leaderTerm) return null
  const lead = `${id} leads in term ${String(leaderTerm)}`
  const wanted = `${at(committedIndex, last.term)}, which ${last.by} had committed (event ${String(last.event)})`
  if (log.last < committedIndex) return `${lead}, its log ends at ${String(log.last)} and lacks ${wanted}`
  const term = log.termAt(committedIndex)
  return term === undefined || term === last.term
    ? null
    : `${lead} with ${at(committedIndex, term)} in place of ${wanted}`
}

import type { TraceEvent } from '@lab/rpc'
import { numberOf, textOf } from '../fields.ts'
import { at, type Property } from './property.ts'
import type { World } from './world.ts'

/** A write that a client was told is done, and where the answer said that it stands. */
interface Acknowledged {
  readonly term: number
  readonly client: string
}

export const acknowledgedStays: Property = {
  rule: 'acknowledgedStays',
  kinds: ['return', 'apply', 'role'],
  watch: () => {
    const acknowledged: (Acknowledged | undefined)[] = []
    let last = 0
    return (event, server, world) => {
      const index = numberOf(event, 'index')
      const term = numberOf(event, 'term')
      if (event.k === 'return' && event['outcome'] === 'ok' && index !== undefined && term !== undefined) {
        acknowledged[index] = { term, client: clientOf(event) }
        last = Math.max(last, index)
        return isOther(world, index, term) ? replaced(index, acknowledged[index], world) : null
      }
      if (event.k === 'apply' && index !== undefined && term !== undefined) {
        const told = acknowledged[index]
        return told === undefined || told.term === term
          ? null
          : `${told.client} was told that ${at(index, told.term)} is done, and ${event.n} applies ${at(index, term)}`
      }
      const told = acknowledged[last]
      if (event.k !== 'role' || event['role'] !== 'leader' || server.log === null || told === undefined)
        return null
      const has = server.log.termAt(last)
      const isGone = server.log.last < last || (has !== undefined && has !== told.term)
      return isGone && (term ?? 0) >= told.term
        ? `${told.client} was told that ${at(last, told.term)} is done, and ${event.n} leads in term ${String(term)} without it`
        : null
    }
  },
}

function isOther({ committed }: World, index: number, term: number): boolean {
  const there = committed[index]
  return there !== undefined && there.term !== term
}

function replaced(index: number, { term, client }: Acknowledged, { committed }: World): string {
  const there = committed[index]
  return `${client} is told that ${at(index, term)} is done, and ${there?.by ?? '?'} had committed ${at(index, there?.term ?? 0)}`
}

function clientOf(event: TraceEvent): string {
  return textOf(event, 'client') ?? event.n
}

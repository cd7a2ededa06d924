import { numberOf } from '../fields.ts'
import type { Property } from './property.ts'

export const termsOnlyGrow: Property = {
  rule: 'termsOnlyGrow',
  kinds: ['role', 'refuse', 'start', 'persist'],
  watch: () => (event, server) => {
    const term = numberOf(event, 'term')
    if (term === undefined) return null
    switch (event.k) {
      case 'role':
      case 'refuse':
        return term < server.term ? back(event.n, server.term, term) : null
      case 'start':
      case 'persist':
        return term < server.durableTerm
          ? `${back(event.n, server.durableTerm, term)}, although the first was on disk`
          : null
      default:
        return null
    }
  },
}

function back(id: string, before: number, now: number): string {
  return `${id} was in term ${String(before)} and is in term ${String(now)}`
}

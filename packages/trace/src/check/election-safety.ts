import { numberOf } from '../fields.ts'
import { messageKind } from '../messages.ts'
import type { Property } from './property.ts'

/** Who leads says so in its role, or by sending AppendEntries: the latter shows also where a foreign Raft is traced at the network. */
export const electionSafety: Property = {
  rule: 'electionSafety',
  kinds: ['role', 'send'],
  watch: () => {
    const leaders = new Map<number, string>()
    return (event) => {
      const leads =
        (event.k === 'role' && event['role'] === 'leader') ||
        (event.k === 'send' && messageKind(event).name === 'appendentries' && !messageKind(event).reply)
      const term = leads ? numberOf(event, 'term') : undefined
      if (term === undefined) return null
      const other = leaders.get(term)
      if (other === undefined) leaders.set(term, event.n)
      return other === undefined || other === event.n
        ? null
        : `${other} and ${event.n} both lead in term ${String(term)}`
    }
  },
}

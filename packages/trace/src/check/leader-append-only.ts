import { numberOf } from '../fields.ts'
import type { Property } from './property.ts'

export const leaderAppendOnly: Property = {
  rule: 'leaderAppendOnly',
  kinds: ['truncate', 'append'],
  watch:
    () =>
    (event, { leads, term, log, id }) => {
      if (!leads) return null
      const from = event.k === 'truncate' ? numberOf(event, 'from') : undefined
      const first = event.k === 'append' ? numberOf(event, 'first') : undefined
      if (from !== undefined)
        return `${id} leads in term ${String(term)} and removes its entries from ${String(from)} on`
      if (first === undefined || log === null || first > log.last) return null
      return `${id} leads in term ${String(term)} and overwrites entry ${String(first)}; its log went up to ${String(log.last)}`
    },
}

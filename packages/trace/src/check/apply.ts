/** What may be applied, and in which order (Figure 2, lastApplied; §7). */
import { numberOf } from '../fields.ts'
import { at, type Property } from './property.ts'

export const applyInOrder: Property = {
  rule: 'applyInOrder',
  kinds: ['apply'],
  watch:
    () =>
    (event, { id, appliedIndex }) => {
      const index = event.k === 'apply' ? numberOf(event, 'index') : undefined
      if (index === undefined || appliedIndex === null || index === appliedIndex + 1) return null
      return `${id} applies ${String(index)} after ${String(appliedIndex)}`
    },
}

export const applyCommitted: Property = {
  rule: 'applyCommitted',
  kinds: ['apply'],
  watch:
    () =>
    (event, { id, commitIndex, log, showsDisk }, { showsCommits, showsAppends }) => {
      const index = event.k === 'apply' ? numberOf(event, 'index') : undefined
      if (index === undefined || log === null || commitIndex === null) return null
      if (showsCommits && index > commitIndex)
        return `${id} applies ${String(index)}, and knows only ${String(commitIndex)} committed`
      if (showsDisk && showsAppends && index > log.durable)
        return `${id} applies ${String(index)}, and has only ${String(log.durable)} on its disk`
      return null
    },
}

export const snapshotIsCommitted: Property = {
  rule: 'snapshotIsCommitted',
  kinds: ['snapshot'],
  watch:
    () =>
    (event, { id, appliedIndex, log }, world) => {
      const index = event.k === 'snapshot' ? numberOf(event, 'index') : undefined
      if (index === undefined) return null
      const term = numberOf(event, 'term')
      const other = world.committed[index]
      if (term !== undefined && other !== undefined && other.term !== term)
        return `${id} has a snapshot up to ${at(index, term)}, ${other.by} had committed ${at(index, other.term)} (event ${String(other.event)})`
      if (event['installed'] === true || log === null || appliedIndex === null || index <= appliedIndex)
        return null
      return `${id} makes a snapshot up to ${String(index)}, and has applied only ${String(appliedIndex)}`
    },
}

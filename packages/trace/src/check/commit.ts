/** When an entry may count as committed (§5.3, §5.4.2). */
import { numberOf } from '../fields.ts'
import { at, type Property } from './property.ts'
import type { Server } from './world.ts'

export const commitOnlyGrows: Property = {
  rule: 'commitOnlyGrows',
  kinds: ['commit'],
  watch:
    () =>
    (event, { id, commitIndex }) => {
      const index = event.k === 'commit' ? numberOf(event, 'index') : undefined
      if (index === undefined || commitIndex === null || index >= commitIndex) return null
      return `${id} had committed up to ${String(commitIndex)} and now says ${String(index)}`
    },
}

export const commitOwnTerm: Property = {
  rule: 'commitOwnTerm',
  kinds: ['commit'],
  watch:
    () =>
    (event, { id, leads, term, log }) => {
      const index = event.k === 'commit' && leads ? numberOf(event, 'index') : undefined
      const entryTerm = index === undefined ? undefined : log?.termAt(index)
      if (index === undefined || entryTerm === undefined || entryTerm === term) return null
      return `${id} leads in term ${String(term)} and commits ${at(index, entryTerm)}, an entry of an earlier term`
    },
}

/**
 * Of a server whose disk the trace does not show nothing is claimed. A leader counts under the configuration that it has, also where its
 * own disk lags and its log does not show the entry: it is of its term (§5.4.2). A follower may hear of the commit together with
 * a configuration that came after it.
 */
export const commitNeedsMajority: Property = {
  rule: 'commitNeedsMajority',
  kinds: ['commit'],
  watch: () => (event, server, world) => {
    const index = event.k === 'commit' ? numberOf(event, 'index') : undefined
    if (index === undefined || index <= world.committedIndex || !world.showsAppends) return null
    if (!server.leads && index < server.config.index) return null
    const term = server.log?.termAt(index) ?? (server.leads && server.log !== null ? server.term : undefined)
    if (term === undefined) return null
    for (const voters of [server.config.voters, server.config.votersOutgoing]) {
      const without = voters.filter((id) => isWithout(world.servers.get(id), index, term))
      if (without.length * 2 < voters.length || voters.length === 0) continue
      return `${server.id} commits ${at(index, term)}, which is not on the disks of ${without.join(', ')}, ${String(without.length)} of ${String(voters.length)} voters`
    }
    return null
  },
}

function isWithout(voter: Server | undefined, index: number, term: number): boolean {
  if (voter?.showsDisk !== true || voter.log === null) return false
  const known = voter.log.termAt(index)
  return voter.log.durable < index || (known !== undefined && known !== term)
}

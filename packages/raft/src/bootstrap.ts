import type { Address } from '@lab/rpc'
import type { Membership, NodeId } from './types.ts'

/** The configuration that a cluster begins with: every member a voter, in an order that all servers share. */
export function bootstrapMembership(
  members: Readonly<Record<NodeId, readonly Address[]>>,
  leases = false,
): Membership {
  return {
    voters: Object.keys(members).sort(),
    votersOutgoing: [],
    learners: [],
    addresses: members,
    index: 0,
    incarnations: {},
    leases,
  }
}

/** How the `members` of the options differ from the configuration in the log, in words; null when they do not. */
export function difference(
  members: Readonly<Record<NodeId, readonly Address[]>>,
  membership: Membership,
  leases = membership.leases,
): string | null {
  const inLog = new Set([...membership.voters, ...membership.votersOutgoing, ...membership.learners])
  const inOptions = Object.keys(members)
  const missing = [...inLog].filter((id) => !(id in members)).sort()
  const additional = inOptions.filter((id) => !inLog.has(id)).sort()
  const moved = inOptions
    .filter((id) => inLog.has(id) && !sameAddresses(members[id], membership.addresses[id]))
    .sort()
  const parts = [
    missing.length > 0 ? `members leaves out ${missing.join(', ')}` : '',
    additional.length > 0 ? `members adds ${additional.join(', ')}` : '',
    moved.length > 0 ? `members gives other addresses for ${moved.join(', ')}` : '',
    leases !== membership.leases ? `leases are ${membership.leases ? 'on' : 'off'}` : '',
  ].filter((part) => part !== '')
  if (parts.length === 0) return null
  return `the log's configuration counts, not the options: ${parts.join('; ')}`
}

function sameAddresses(a: readonly Address[] = [], b: readonly Address[] = []): boolean {
  return a.length === b.length && a.every((address) => b.includes(address))
}

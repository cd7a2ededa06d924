/** What a server begins with: from its options, and from what its storage holds. */
import { jsonCodec, type Address } from '@lab/rpc'
import { Raft } from './core/raft.ts'
import type { RaftNodeOptions, Settings } from './options.ts'
import { ReplicatedMachine } from './rsm/replicated-machine.ts'
import type { Recovered } from './storage.ts'
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

/** The state machine of the options, if there is one. */
export function machineOf(options: Omit<RaftNodeOptions, 'storage'>): ReplicatedMachine {
  const { stateMachine, codec, resultCodec, queryCodec, answerCodec } = options
  return new ReplicatedMachine({
    machine: stateMachine ?? null,
    codec: codec ?? jsonCodec(),
    resultCodec: resultCodec ?? jsonCodec(),
    queryCodec: queryCodec ?? jsonCodec(),
    answerCodec: answerCodec ?? jsonCodec(),
  })
}

export interface CoreParts {
  readonly settings: Settings
  readonly group: number
  /** Its process beats for all its groups. */
  readonly beats: boolean
  readonly recovered: Recovered
  /** It was not there when the cluster began: it was added, or waits to be. */
  readonly added: boolean
}

export function coreOf({ settings, group, beats, recovered, added }: CoreParts): Raft {
  const { id, random, clock, timing, coreLimits, members, leases } = settings
  const { hardState, snapshot, firstIndex, lastIndex, terms, configurations, lastTime } = recovered
  return new Raft({
    id,
    group,
    beats,
    random: () => random.next(),
    hardState,
    snapshot,
    firstIndex,
    lastIndex,
    terms,
    configurations,
    lastTime,
    bootstrap: added ? null : bootstrapMembership(members, leases),
    incarnation: recovered.identity.incarnation,
    now: clock.now(),
    timing,
    limits: coreLimits,
  })
}

/**
 * From one configuration to another (§6), as values: what a change asks for, what comes of it, and the two configurations on
 * the way. Nothing here knows of logs or leaders.
 *
 *     current ──(new voters as learners)──▶ catch up ──▶ joint: new and old voters ──▶ target
 */
import type { Membership, NodeId } from '../types.ts'
import { membersOf } from './membership.ts'
import { isVoter } from './quorum.ts'

type Addresses = Readonly<Record<NodeId, readonly string[]>>

/** What is to be different. Each server is named once, in `add`, `addLearners`, `promote`, `demote` or `remove`; what is not named stays. */
export interface MembershipChange {
  /** Become voters, once they have caught up. One that is a member already keeps what it has and takes the addresses. */
  readonly add?: Addresses
  /** Receive the log, have no vote. */
  readonly addLearners?: Addresses
  /** Learners that become voters, once they have caught up. */
  readonly promote?: readonly NodeId[]
  /** Voters that become learners. */
  readonly demote?: readonly NodeId[]
  readonly remove?: readonly NodeId[]
  /** Members that are reached elsewhere now. Who they are does not change. */
  readonly addresses?: Addresses
  /** Of servers to be added: their data folders', see {@link Membership}. */
  readonly incarnations?: Readonly<Record<NodeId, string>>
  /** See {@link Membership}. */
  readonly leases?: boolean
}

/** The configuration that `change` leads to, or in words why there is none. `current` is not joint. */
export function targetOf(current: Membership, change: MembershipChange): Membership | string {
  const { add = {}, addLearners = {}, promote = [], demote = [], remove = [], leases } = change
  const why = contradiction(current, change)
  if (why !== null) return why
  const toLearners = new Set([...Object.keys(addLearners), ...demote])
  const gone = new Set(remove)
  const voters = distinct([...current.voters, ...Object.keys(add), ...promote]).filter(
    (id) => !gone.has(id) && !toLearners.has(id),
  )
  const learners = distinct([...current.learners, ...toLearners]).filter(
    (id) => !gone.has(id) && !voters.includes(id),
  )
  if (voters.length === 0) return 'nobody would be left to vote'
  const members = membersOf(current)
  const incarnations = newIn(members, membersOf({ ...current, voters, learners })).map((id) => [
    id,
    change.incarnations?.[id] ?? '',
  ])
  return tidied(
    { ...current, voters, learners, leases: leases ?? current.leases },
    { ...current.addresses, ...add, ...addLearners, ...change.addresses },
    { ...current.incarnations, ...(Object.fromEntries(incarnations) as Record<NodeId, string>) },
  )
}

/** `current`, with those who are to vote in `target` and are no members yet as learners. */
export function withLearners(current: Membership, target: Membership): Membership {
  const learners = [...current.learners, ...newcomers(current, target)]
  return tidied(
    { ...current, learners },
    { ...target.addresses, ...current.addresses },
    { ...target.incarnations, ...current.incarnations },
  )
}

/** Those who are to vote in `target` and are no members of `current`. */
export function newcomers(current: Membership, target: Membership): NodeId[] {
  return newIn(membersOf(current), target.voters)
}

/** From the entry that holds it on, every decision needs a majority of the new voters and one of the old (§6). */
export function jointOf(current: Membership, target: Membership): Membership {
  return tidied(
    { ...target, votersOutgoing: current.voters },
    { ...current.addresses, ...target.addresses },
    { ...current.incarnations, ...target.incarnations },
  )
}

/** What a committed joint configuration leads to: the new voters alone. */
export function afterJoint(joint: Membership): Membership {
  return tidied({ ...joint, votersOutgoing: [] }, joint.addresses, joint.incarnations)
}

/** `current` without the learners that a change brought and that did not catch up. */
export function without(current: Membership, ids: readonly NodeId[]): Membership {
  const learners = newIn(ids, current.learners)
  return tidied({ ...current, learners }, current.addresses, current.incarnations)
}

export function isJoint({ votersOutgoing }: Membership): boolean {
  return votersOutgoing.length > 0
}

export function sameVoters(one: Membership, other: Membership): boolean {
  return sameSet(one.voters, other.voters)
}

/** Do both say the same of everybody? */
export function sameMembership(one: Membership, other: Membership): boolean {
  return (
    sameVoters(one, other) &&
    sameSet(one.learners, other.learners) &&
    one.leases === other.leases &&
    membersOf(one).every((id) => sameList(one.addresses[id], other.addresses[id]))
  )
}

function contradiction(current: Membership, change: MembershipChange): string | null {
  const { add = {}, addLearners = {}, promote = [], demote = [], remove = [], addresses = {} } = change
  const members = new Set(membersOf(current))
  const named = [...Object.keys(add), ...Object.keys(addLearners), ...promote, ...demote, ...remove]
  const twice = named.find((id, at) => named.indexOf(id) !== at)
  if (twice !== undefined) return `${twice} is named twice`
  const stranger = [...promote, ...demote, ...Object.keys(addresses)].find((id) => !members.has(id))
  if (stranger !== undefined) return `${stranger} is no member`
  const leaving = Object.keys(addresses).find((id) => remove.includes(id))
  if (leaving !== undefined) return `${leaving} is to be removed`
  const voter = Object.keys(addLearners).find((id) => isVoter(current, id))
  return voter === undefined ? null : `${voter} has a vote: demote it`
}

/** Says of its members what is known of them, and nothing of others. */
function tidied(
  membership: Membership,
  addresses: Addresses,
  incarnations: Membership['incarnations'],
): Membership {
  const ids = membersOf(membership)
  return { ...membership, addresses: only(ids, addresses), incarnations: only(ids, incarnations) }
}

/** Those of `ids` that are not among `known`. */
function newIn(known: readonly NodeId[], ids: readonly NodeId[]): NodeId[] {
  return ids.filter((id) => !known.includes(id))
}

function only<T>(ids: readonly NodeId[], of: Readonly<Record<NodeId, T>>): Record<NodeId, T> {
  // Own properties, so that an id such as __proto__ is a key like any other.
  return Object.fromEntries(ids.flatMap((id) => (Object.hasOwn(of, id) ? [[id, of[id] as T]] : [])))
}

function distinct(ids: readonly NodeId[]): NodeId[] {
  return [...new Set(ids)]
}

function sameSet(one: readonly NodeId[], other: readonly NodeId[]): boolean {
  return one.length === other.length && one.every((id) => other.includes(id))
}

function sameList(one: readonly string[] = [], other: readonly string[] = []): boolean {
  return one.length === other.length && one.every((item, at) => item === other[at])
}

/** Becoming leader, and what a leader appends to its own log (§5.3, §8). */
import { EntryKind, recordBytes, type Entry } from '../entry.ts'
import type { Index, Membership, NodeId } from '../types.ts'
import { markRound } from './lease.ts'
import { encodeMembership, membersOf } from './membership.ts'
import { Progress } from './progress.ts'
import type { Proposed } from './ready.ts'
import { membershipChanged } from './role.ts'
import type { Leadership, State } from './state.ts'

const NO_PAYLOAD = new Uint8Array()

/** Takes the lead of the current term: assumes that all logs equal its own until told otherwise, and appends a no-op (§8). */
export function lead(state: State, why: string): void {
  const firstIndex = state.log.lastIndex + 1
  state.role = 'leader'
  state.leader = state.id
  state.election = null
  state.electionDeadline = Infinity
  state.reception = null
  state.leadership = {
    followers: new Map(),
    firstIndex,
    round: 1,
    waitingReads: [],
    readRounds: [],
    uncommitted: [],
    uncommittedBytes: 0,
    marks: [],
    transfer: null,
    toldToCampaign: false,
    change: null,
    departing: new Map(),
    retirement: null,
    settling: null,
    leaseWantedUntil: -Infinity,
    commitNoticeAt: Infinity,
    lastStamp: null,
  }
  followMembers(state, state.leadership, firstIndex)
  markRound(state, state.leadership)
  state.announceRole(why)
  appendOwn(state, state.leadership, EntryKind.noop, [NO_PAYLOAD], state.log.lastTime)
  // A bootstrapped cluster's configuration becomes part of the log, which wins over `members` from then on.
  if (state.configurations.latestIndex === 0) appendConfiguration(state, state.leadership, state.membership)
}

/** Appends commands, all or none. They go to followers and disk with the next Ready. */
export function propose(
  state: State,
  payloads: readonly Uint8Array[],
  kind: EntryKind,
  wallTime: number,
): Proposed {
  const { leadership, leader } = state
  if (leadership === null) return { ok: false, why: 'not-leader', leader }
  if (leadership.transfer !== null || leadership.retirement !== null)
    return { ok: false, why: 'transferring', leader }
  // Measured before, so that one batch larger than the bound can still pass.
  if (leadership.uncommittedBytes >= state.limits.uncommittedBytesMax)
    return { ok: false, why: 'busy', leader }
  const index = state.log.lastIndex + 1
  const time = stamp(state, leadership, wallTime)
  appendOwn(state, leadership, kind, payloads, time)
  return { ok: true, index, term: state.currentTerm }
}

/** Appends `next`, which is in force from here on (§6). */
export function appendConfiguration(state: State, leadership: Leadership, next: Membership): void {
  const payload = encodeMembership({ ...next, index: state.log.lastIndex + 1 })
  appendOwn(state, leadership, EntryKind.configuration, [payload], state.log.lastTime)
}

function appendOwn(
  state: State,
  leadership: Leadership,
  kind: EntryKind,
  payloads: readonly Uint8Array[],
  time: number,
): void {
  const { group, log, currentTerm: term, records } = state
  let index = log.lastIndex
  let bytes = 0
  const entries = payloads.map((payload) => {
    const entry = records.append({ group, kind, index: ++index, term, time, payload })
    bytes += recordBytes(entry)
    return entry
  })
  log.append(entries)
  leadership.uncommitted.push({ lastIndex: index, bytes })
  leadership.uncommittedBytes += bytes
  if (kind === EntryKind.configuration) adoptConfigurations(state, entries)
}

/** Uses every configuration among `entries` as soon as it is in the log (§6). */
export function adoptConfigurations(state: State, entries: readonly Entry[]): void {
  const before = state.configurations.latestIndex
  for (const entry of entries) if (entry.kind === EntryKind.configuration) state.configurations.append(entry)
  if (state.configurations.latestIndex === before) return
  if (state.leadership !== null) followMembers(state, state.leadership, state.log.lastIndex + 1)
  membershipChanged(state)
}

/**
 * One {@link Progress} for each other member. Who is one no longer is followed a while longer, to be told; if it is added
 * again meanwhile it begins anew, for it may be another server by then, with an empty disk.
 */
function followMembers(state: State, leadership: Leadership, nextIndex: Index): void {
  const { followers, departing } = leadership
  const members = new Set<NodeId>(membersOf(state.membership))
  members.delete(state.id)
  for (const id of followers.keys())
    if (!members.has(id) && !departing.has(id))
      departing.set(id, state.now + 2 * state.timing.electionTimeoutMsMax)
  const window = { bytesMax: state.limits.inflightBytesMax, messagesMax: state.limits.inflightMessagesMax }
  for (const id of members)
    if (departing.delete(id) || !followers.has(id))
      followers.set(id, new Progress(id, nextIndex, state.now, window))
}

/** It has been told, or cannot be. */
export function stopFollowing(leadership: Leadership, id: NodeId): void {
  leadership.departing.delete(id)
  leadership.followers.delete(id)
}

/**
 * Log time for the next entry: the wall clock, but never back, and within one leadership never more than twice as fast as
 * the monotonic clock: a wall clock that somebody sets years ahead must not expire everything at once.
 */
function stamp(state: State, leadership: Leadership, wallTime: number): number {
  const { now, log } = state
  const { lastStamp } = leadership
  const wanted = Math.max(log.lastTime, Math.floor(wallTime))
  const time =
    lastStamp === null
      ? wanted
      : Math.max(log.lastTime, Math.min(wanted, Math.floor(lastStamp.time + 2 * (now - lastStamp.now))))
  if (lastStamp === null || time > lastStamp.time) leadership.lastStamp = { time, now }
  return time
}

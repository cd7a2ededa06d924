/**
 * Leases (thesis §6.4.1): reads without asking anybody, for as long as nobody else can lead. Only where the replicated
 * configuration says so, because both sides must keep to it:
 *
 *     leader    round sent ─────────── 0.9 × shortest election timeout ──────────▶ the lease ends
 *     follower       round heard ─────────── shortest election timeout ─────────────────▶ it may vote
 *
 * The leader counts from before the message left, a follower from after it arrived, so the lease ends first, as long as their
 * clocks run equally fast within a tenth. A server that restarts has forgotten what it heard: it waits for the longest timeout.
 */
import type { Index } from '../types.ts'
import { quorumReached } from './quorum.ts'
import type { RequestVote } from './messages.ts'
import type { Leadership, State } from './state.ts'

/** How much shorter than the followers' patience a lease is: what their clocks may differ in speed. */
const LEASE_PART = 0.9
/** Beginnings of rounds are remembered this many times per heartbeat; one in between counts as the one before. */
const MARKS_PER_HEARTBEAT = 4

/** Where a read under the lease stands, or why there is none. `expired`: confirm leadership by a round instead. */
export type LeaseAnswer =
  | { readonly ok: true; readonly index: Index }
  | { readonly ok: false; readonly why: 'off' | 'not-leader' | 'expired' }

/** The index at which to read now without asking anybody. The lease holds at `state.now`, the moment of the question. */
export function leaseIndex(state: State): LeaseAnswer {
  const { leadership, membership, commitIndex } = state
  if (!membership.leases) return { ok: false, why: 'off' }
  if (leadership === null) return { ok: false, why: 'not-leader' }
  leadership.leaseWantedUntil = state.now + state.timing.electionTimeoutMsMax
  // §8: before its own first commit a leader does not know how far its predecessors came.
  const held = state.now < leaseUntil(state, leadership) && commitIndex >= leadership.firstIndex
  return held ? { ok: true, index: commitIndex } : { ok: false, why: 'expired' }
}

/** When the lease ends; -Infinity when there is none. */
export function leaseUntil(state: State, leadership: Leadership): number {
  const { membership, configurations, timing } = state
  // Whoever was told to campaign at once may do so at any time, as late as the message comes (thesis §3.10).
  if (!membership.leases || leadership.transfer !== null || leadership.toldToCampaign) return -Infinity
  const start = quorumReached(membership, (id) => {
    if (id === state.id) return Infinity
    const follower = leadership.followers.get(id)
    // Only who holds the configuration that allows leases will think of them after a restart.
    if (follower === undefined || follower.matchIndex < configurations.latestIndex) return -Infinity
    return begunAt(leadership, follower.ackedRound)
  })
  return start + LEASE_PART * timing.electionTimeoutMsMin
}

/** A round begins now: answers to it count from here. */
export function markRound(state: State, leadership: Leadership): void {
  if (!state.membership.leases) return
  const { marks, round } = leadership
  const last = marks.at(-1)
  const { heartbeatMs, electionTimeoutMsMin } = state.timing
  if (last !== undefined && state.now < last.at + heartbeatMs / MARKS_PER_HEARTBEAT) return
  marks.push({ round, at: state.now })
  const oldest = marks.findIndex(({ at }) => at > state.now - electionTimeoutMsMin)
  marks.splice(0, oldest)
}

/** With leases every beat is a round of its own, or no answer would tell when its question left. */
export function nextLeaseRound(state: State, leadership: Leadership): number {
  if (!state.membership.leases || leadership.followers.size === 0) return Infinity
  // A quiet group is woken by the first read: that one takes a round.
  if (state.hosts !== null && state.now >= leadership.leaseWantedUntil) return Infinity
  return (leadership.marks.at(-1)?.at ?? -Infinity) + state.timing.heartbeatMs
}

/** The latest beginning, among those remembered, of a round up to `round`. */
function begunAt({ marks }: Leadership, round: number): number {
  return marks.findLast((mark) => mark.round <= round)?.at ?? -Infinity
}

/** Why this server's word to a leader forbids to help another one now; null when it does not. */
export function boundByLease(state: State, request: Pick<RequestVote, 'transfer'>): string | null {
  if (!state.membership.leases) return null
  if (state.now < state.quietUntil) return 'it started a moment ago and may have promised a lease before'
  // Whatever the term, and whoever leads by now: the promise was for a time (trap: a later term forgets the leader).
  const bound = !request.transfer && state.now < state.leaderHeardAt + state.timing.electionTimeoutMsMin
  return bound ? 'a leader may still hold a lease' : null
}

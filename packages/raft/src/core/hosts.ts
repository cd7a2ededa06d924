/**
 * Quiet groups. A process that is a member of many groups sends one heartbeat to each other process, for all of them: a *beat*. It
 * claims which groups it runs and which it leads, in which term; the driver tells the core what concerns its group.
 *
 *      leader    all acknowledged ──▶ quiet: no heartbeats ──▶ anything happens ──▶ heartbeats
 *      follower  beats that claim its leader ──▶ patient ──▶ no beats, or no claim ──▶ election timeout
 *
 * What must hold:
 *
 * 1. Nothing but patience rests on beats: no vote, no commit, no read, no lease. They carry no promise and need no disk.
 * 2. A leader falls quiet towards a follower only when that one has acknowledged, in a round that began after the last entry was
 *    committed, a message that reached the end of the log: then it stores the whole log and knows the commitIndex, too. And only
 *    when its process has acknowledged the claim, or it would lose patience in between.
 * 3. A follower is patient for the leader and the term that it follows itself, and for no other claim.
 * 4. Whatever ends leadership ends the claim: lost office, a group that stopped, a process that restarted or fell silent. The
 *    follower then waits as if it had heard the last beat as a heartbeat.
 * 5. A quiet follower counts as heard (CheckQuorum) while its process beats and runs the same instance of the group. When that
 *    changes, and when it asks for votes, the leader speaks to it again: it may know of a later term.
 */
import type { NodeId, Term } from '../types.ts'
import type { Progress } from './progress.ts'
import { markRound } from './lease.ts'
import { becomeFollower, patientOf, resetElectionDeadline } from './role.ts'
import type { Leadership, State } from './state.ts'

/** What a process that beats says of this group. */
export interface Claim {
  /** The term in which it leads this group; 0 when it does not. */
  readonly leads: Term
  /** The term in which it knows that *this* server leads; 0 when it does not. */
  readonly knows: Term
}

/** @param fresh the process beats again after a silence, or its member of this group has started anew */
export function onHostAlive(state: State, peer: NodeId, claim: Claim, fresh: boolean): void {
  if (state.hosts === null) return
  const wasPatient = patientOf(state)
  state.hosts.set(peer, claim)
  const { leadership } = state
  const follower = leadership?.followers.get(peer)
  if (leadership !== null) {
    if (follower === undefined) return
    follower.heardAt = state.now
    if (fresh) speakUp(leadership)
    return
  }
  if (claim.leads === state.currentTerm && state.leader === null && claim.leads > 0)
    becomeFollower(state, state.currentTerm, peer, `${peer} says that it leads this term`)
  else if (state.leader !== peer || patientOf(state) === wasPatient) return
  else if (wasPatient)
    becomeFollower(state, state.currentTerm, null, `${peer} says that it leads this term no more`)
  else resetElectionDeadline(state)
}

/**
 * The process is not heard any more, or does not run this group.
 *
 * @param heardAt when it last was
 * @param stagger how much later than usual to campaign: the process may have led many groups
 */
export function onHostSilent(state: State, peer: NodeId, heardAt: number, stagger: number): void {
  if (state.hosts === null) return
  const wasPatient = patientOf(state)
  state.hosts.delete(peer)
  const follower = state.leadership?.followers.get(peer)
  if (follower?.quiet === true) follower.heardAt = Math.max(follower.heardAt, heardAt)
  if (!wasPatient || state.leader !== peer) return
  state.leaderHeardAt = Math.max(state.leaderHeardAt, Math.min(heardAt, state.now))
  resetElectionDeadline(state)
  state.electionDeadline += heardAt - state.now + stagger
}

/** Is the follower to get heartbeats? One whose process is not heard could not answer; it is spoken to when it is. */
export function needsHeartbeats(state: State, follower: Progress): boolean {
  return state.hosts === null || (!follower.quiet && state.hosts.has(follower.id))
}

/** Notes who has become quiet and who is no more. Called before anything is sent. */
export function hush(state: State, leadership: Leadership): void {
  if (state.hosts === null) return
  beginSettling(state, leadership)
  for (const follower of leadership.followers.values()) {
    const quiet = isSettled(state, leadership, follower)
    // Until now its process spoke for it.
    if (follower.quiet && !quiet && state.hosts.has(follower.id)) follower.heardAt = state.now
    follower.quiet = quiet
  }
}

/** When the follower was last heard of, itself or by its process. */
export function lastHeard(state: State, follower: Progress): number {
  return follower.quiet && state.hosts?.has(follower.id) === true ? Infinity : follower.heardAt
}

/** From here on a heartbeat goes to every follower until all have settled again. */
export function speakUp(leadership: Leadership): void {
  leadership.settling = null
}

/** A heartbeat is due and there is nothing else to say: let it be the last, in a round of its own. */
function beginSettling(state: State, leadership: Leadership): void {
  const { settling } = leadership
  const { commitIndex, log } = state
  if (!isCalm(state, leadership)) leadership.settling = null
  else if (settling?.index !== commitIndex || settling.index !== log.lastIndex) {
    const due = state.now - state.timing.heartbeatMs
    if (![...leadership.followers.values()].some(({ sentAt }) => sentAt <= due)) return
    leadership.round++
    markRound(state, leadership)
    leadership.settling = { index: commitIndex, round: leadership.round }
  }
}

/** Nothing is under way in this group. */
function isCalm({ log, commitIndex, durability }: State, leadership: Leadership): boolean {
  return (
    commitIndex === log.lastIndex &&
    durability.settled(log) &&
    leadership.waitingReads.length === 0 &&
    leadership.readRounds.length === 0 &&
    leadership.transfer === null &&
    leadership.change === null &&
    leadership.retirement === null &&
    leadership.departing.size === 0
  )
}

function isSettled(state: State, leadership: Leadership, follower: Progress): boolean {
  const { settling, round } = leadership
  if (settling === null) return false
  if (follower.quiet && !(state.hosts?.has(follower.id) ?? false))
    return follower.matchIndex === settling.index
  return (
    follower.state === 'replicate' &&
    follower.matchIndex === settling.index &&
    // Every round that was begun, so that none for a read or a lease is lost.
    follower.wholeRound === round &&
    round >= settling.round &&
    state.hosts?.get(follower.id)?.knows === state.currentTerm
  )
}

/** Roles and terms (§5.1): the only place where a server becomes a follower, and where its patience is drawn. */
import type { Membership, NodeId, Term } from '../types.ts'
import { isMember } from './membership.ts'
import { isVoter } from './quorum.ts'
import type { State } from './state.ts'

/**
 * Follows `leader`, or whoever turns up, in `term`, which is at least the current one (§5.1). A later term forgets the vote.
 * Starts waiting anew for an election timeout.
 */
export function becomeFollower(state: State, term: Term, leader: NodeId | null, why: string): void {
  const changed = state.role !== 'follower' || state.currentTerm !== term || state.leader !== leader
  enterTerm(state, term)
  abandonLeadership(state)
  state.election = null
  state.role = 'follower'
  state.leader = leader
  resetElectionDeadline(state)
  if (changed) state.announceRole(why)
}

/** Raises the term, if it is later, and with it forgets whom the vote went to (§5.1). */
export function enterTerm(state: State, term: Term, votedFor: NodeId = ''): void {
  if (term <= state.currentTerm) return
  state.currentTerm = term
  state.votedFor = votedFor
  state.durability.hardStateChanged()
}

/** Who follows a leader draws its patience from this part of the range. */
const FIRST_PART = 0.5

/**
 * Draws a new election timeout, uniform between the two bounds (§5.2): each time anew, so that servers that collided once do
 * not go on colliding. Who follows a leader has not collided yet, and draws from the nearer half: the least, which every vote
 * rests on, is the same, and nobody waits longer than the spread is worth. Never, for a server that has no vote in its own configuration.
 */
export function resetElectionDeadline(state: State): void {
  const { electionTimeoutMsMin: min, electionTimeoutMsMax: max } = state.timing
  const spread = (max - min) * (state.leader === null ? 1 : FIRST_PART)
  state.electionDeadline =
    mayCampaign(state) && !patientOf(state) ? state.now + min + state.random() * spread : Infinity
}

/**
 * Another server that this one would vote for is about to campaign: let it, for a heartbeat. Two that campaign within the time
 * of a write to disk split the vote, and everybody waits once more.
 */
export function giveWay(state: State): void {
  state.electionDeadline = Math.max(state.electionDeadline, state.now + state.timing.heartbeatMs)
}

/** Does the process of the leader say, in beats that are heard, that it leads this term? Then there is nothing to wait for. */
export function patientOf({ hosts, leader, currentTerm }: State): boolean {
  return hosts !== null && leader !== null && hosts.get(leader)?.leads === currentTerm
}

/**
 * Who has a vote campaigns; that a server grants votes does not depend on this. One that its newest configuration leaves out goes on
 * campaigning until it knows that one to be committed (thesis §4.2.2): before, it may be the only one with a log that can win.
 */
export function mayCampaign(state: State): boolean {
  const { configurations, commitIndex, id } = state
  return configurations.someFrom(commitIndex, (known) => isVoter(known, id) && means(state, known))
}

/**
 * Does `membership` mean this server, and not one before it of the same id whose disk is gone? A server that was added receives the
 * log from its beginning, and with it configurations of which its predecessor was a member.
 */
function means({ id, incarnation, bootstrapped }: State, membership: Membership): boolean {
  const named = Object.hasOwn(membership.incarnations, id) ? membership.incarnations[id] : undefined
  return named === undefined ? bootstrapped && isMember(membership, id) : named === incarnation
}

/**
 * A server that was added, and whose log does not reach that far yet. Its predecessor may have voted, so it grants no votes: servers
 * like it could otherwise elect each other by a configuration that is long past. Nobody waits for its vote, since who
 * is promoted has caught up.
 */
export function isNovice(state: State): boolean {
  return !state.bootstrapped && !state.configurations.someFrom(0, (membership) => means(state, membership))
}

/** Another configuration is in force: who may campaign may have changed. */
export function membershipChanged(state: State): void {
  state.announceMembership()
  if (state.role === 'leader') return
  if (!mayCampaign(state)) state.electionDeadline = Infinity
  else if (state.electionDeadline === Infinity) resetElectionDeadline(state)
}

/** Reads that leadership was not confirmed for must not be answered here. */
function abandonLeadership(state: State): void {
  const leadership = state.leadership
  if (leadership === null) return
  const ids = [...leadership.readRounds.flatMap((round) => round.ids), ...leadership.waitingReads]
  for (const id of ids) state.outbox.reads.push({ id, index: null })
  state.leadership = null
}

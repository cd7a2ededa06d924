/** Roles and terms (§5.1): the only place where a server becomes a follower, and where its patience is drawn. */
import type { NodeId, Term } from '../types.ts'
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

/**
 * Draws a new election timeout, uniform between the two bounds (§5.2): each time anew, so that servers that collided once do
 * not go on colliding. Never, for a server that has no vote in its own configuration.
 */
export function resetElectionDeadline(state: State): void {
  const { electionTimeoutMsMin: min, electionTimeoutMsMax: max } = state.timing
  state.electionDeadline = mayCampaign(state) ? state.now + min + state.random() * (max - min) : Infinity
}

/** Only a voter of its own configuration campaigns; that it grants votes does not depend on this. */
export function mayCampaign(state: State): boolean {
  return isVoter(state.membership, state.id)
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

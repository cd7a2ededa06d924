/**
 * Elections (§5.2, §5.4.1), with a round of pre-votes before the term is raised (thesis §9.6).
 *
 *      follower ──timeout──▶ pre-candidate ──majority would vote──▶ candidate ──majority voted──▶ leader
 *          ▲                      │ refused                            │ refused, a leader turned up
 *          └──────────────────────┴────────────────────────────────────┘
 *
 * A candidate counts the members of its own configuration. A voter never looks at its own: it may be older than the
 * candidate's, and a majority that waits for each other to learn of a change would wait for ever.
 */
import type { HardState, Index, NodeId, Term } from '../types.ts'
import { speakUp } from './hosts.ts'
import { installing } from './install.ts'
import { lead } from './leadership.ts'
import { boundByLease } from './lease.ts'
import type { RequestVote, RequestVoteReply } from './messages.ts'
import { countVotes } from './quorum.ts'
import {
  becomeFollower,
  enterTerm,
  giveWay,
  isNovice,
  mayCampaign,
  patientOf,
  resetElectionDeadline,
} from './role.ts'
import type { Election, State } from './state.ts'

/** The election timeout passed without a word from a leader (§5.2). */
export function onElectionTimeout(state: State): void {
  const why = reasonNotToCampaign(state)
  if (why === null) {
    campaignBefore(state)
    return
  }
  resetElectionDeadline(state)
  state.refuse(state.id, 'campaign', why)
}

/**
 * The connection to `peer` broke. If it led, its process is probably gone, and waiting longer helps nobody: this server asks for pre-votes
 * within a heartbeat, and refuses none for the leader's sake (thesis §9.6, §4.2.3). Each server has lost the leader for itself, so
 * that one whose own wire broke is refused by the others, and disturbs nobody; a word from the leader undoes it. Where leases are
 * on, patience was promised, and stays.
 */
export function onConnectionBroke(state: State, peer: NodeId): void {
  if (state.leader !== peer || state.membership.leases || patientOf(state)) return
  state.leaderHeardAt = -Infinity
  const soon = state.now + state.random() * state.timing.heartbeatMs
  state.electionDeadline = Math.min(state.electionDeadline, mayCampaign(state) ? soon : Infinity)
}

/** The leader hands over: campaign at once, without pre-votes and past stickiness (thesis §3.10). */
export function onTimeoutNow(state: State, from: NodeId): void {
  const why = state.role === 'follower' ? reasonNotToCampaign(state) : `it is a ${state.role}`
  if (why === null) campaign(state, true, `${from} hands over leadership`)
  else state.refuse(from, 'TimeoutNow', why)
}

function reasonNotToCampaign(state: State): string | null {
  if (!mayCampaign(state)) return 'it has no vote in its configuration'
  if (installing(state)) return 'a snapshot is being installed'
  if (state.now < state.quietUntil) return 'leases are on and it started a moment ago'
  // A server whose disk hangs could not make its own vote durable, let alone serve.
  const stalled = state.now - state.durability.writingSince > state.timing.electionTimeoutMsMax
  return stalled ? 'the disk has not finished a write for an election timeout' : null
}

/** Asks whether an election could be won; nobody's term or vote changes (thesis §9.6). */
function campaignBefore(state: State): void {
  const { lastIndex: lastLogIndex, lastTerm: lastLogTerm } = state.log
  const why = state.leader === null ? 'no leader was found in time' : `nothing was heard from ${state.leader}`
  begin(state, { preVote: true, transfer: false, votes: new Map([[state.id, true]]) })
  state.announceRole(why)
  const term = state.currentTerm + 1
  for (const to of otherVoters(state))
    state.send(to, { type: 'RequestVote', term, preVote: true, lastLogIndex, lastLogTerm, transfer: false })
  decide(state)
}

/** Raises the term and asks for votes; both leave, and the own vote counts, once term and vote are durable. */
function campaign(state: State, transfer: boolean, why: string): void {
  const { lastIndex: lastLogIndex, lastTerm: lastLogTerm } = state.log
  const term = state.currentTerm + 1
  enterTerm(state, term, state.id)
  begin(state, { preVote: false, transfer, votes: new Map() })
  state.announceRole(why)
  for (const to of otherVoters(state))
    state.promise(to, { type: 'RequestVote', term, preVote: false, lastLogIndex, lastLogTerm, transfer })
}

function begin(state: State, election: Election): void {
  state.role = 'candidate'
  state.leader = null
  state.election = election
  resetElectionDeadline(state)
}

/** Term and vote are on disk: from here on a candidate's vote for itself counts. */
export function onHardStateDurable(state: State, durable: HardState): void {
  const { election, id, currentTerm } = state
  if (election?.preVote !== false || durable.currentTerm !== currentTerm || durable.votedFor !== id) return
  election.votes.set(id, true)
  decide(state)
}

export function onRequestVote(state: State, from: NodeId, request: RequestVote): void {
  // It may know of a later term, and no heartbeat would ever find out.
  if (state.leadership !== null) speakUp(state.leadership)
  const refusal = reasonToRefuse(state, from, request)
  if (refusal !== null) state.refuse(from, request.preVote ? 'pre-vote' : 'vote', refusal)
  const voteGranted = refusal === null
  const reply: RequestVoteReply = {
    type: 'RequestVoteReply',
    term: request.preVote && voteGranted ? request.term : state.currentTerm,
    preVote: request.preVote,
    voteGranted,
  }
  // A pre-vote promises nothing.
  if (request.preVote) {
    if (voteGranted) giveWay(state)
    state.send(from, reply)
    return
  }
  if (voteGranted) grant(state, from)
  state.promise(from, reply)
}

function grant(state: State, candidate: NodeId): void {
  resetElectionDeadline(state)
  if (state.votedFor === candidate) return
  state.votedFor = candidate
  state.durability.hardStateChanged()
}

/** Null when the vote may be granted. By now `request.term` is the current term, if it is no pre-vote. */
function reasonToRefuse(state: State, from: NodeId, request: RequestVote): string | null {
  if (isNovice(state)) return 'its log does not reach to where it was added'
  if (request.term < state.currentTerm) return `term ${String(request.term)} is past`
  const withheld = withholdsVotes(state, request)
  if (withheld !== null) return withheld
  if (request.preVote) {
    if (request.term === state.currentTerm) return `term ${String(request.term)} has begun already`
  } else {
    if (state.votedFor !== '' && state.votedFor !== from) return `the vote went to ${state.votedFor}`
    if (state.leader !== null && state.leader !== from) return `${state.leader} leads this term`
  }
  if (upToDate(state, request)) return null
  const { lastIndex, lastTerm } = state.log
  return `its log ends ${place(request.lastLogIndex, request.lastLogTerm)}, mine ${place(lastIndex, lastTerm)} (§5.4.1)`
}

/** `4@7`: index 4, term 7. */
function place(index: Index, term: Term): string {
  return `${String(index)}@${String(term)}`
}

/** §5.4.1: the later last term, and with equal ones the longer log, is the more up to date. */
function upToDate(state: State, request: RequestVote): boolean {
  const { lastTerm, lastIndex } = state.log
  if (request.lastLogTerm !== lastTerm) return request.lastLogTerm > lastTerm
  return request.lastLogIndex >= lastIndex
}

/** Why this server grants nothing now and lets nobody raise its term, whoever asks; null when it may. */
export function withholdsVotes(state: State, request: RequestVote): string | null {
  if (!request.transfer && hearsLeader(state))
    return `${String(state.leader)} leads and was heard of just now`
  return boundByLease(state, request)
}

/**
 * Stickiness (thesis §4.2.3): whoever has heard of a leader within the shortest election timeout grants nothing and lets
 * nobody raise its term. A leader steps down by itself when it loses its majority.
 */
function hearsLeader(state: State): boolean {
  if (state.role === 'leader') return true
  if (patientOf(state)) return true
  return state.leader !== null && state.now - state.leaderHeardAt < state.timing.electionTimeoutMsMin
}

export function onRequestVoteReply(state: State, from: NodeId, reply: RequestVoteReply): void {
  const { election } = state
  if (election?.preVote !== reply.preVote) return
  election.votes.set(from, reply.voteGranted)
  decide(state)
}

function decide(state: State): void {
  const { election } = state
  if (election === null) return
  const result = countVotes(state.membership, election.votes)
  if (result === 'pending') return
  if (result === 'lost') {
    becomeFollower(state, state.currentTerm, null, 'a majority refused')
  } else if (election.preVote) {
    campaign(state, false, 'a majority would vote for it')
  } else {
    lead(state, 'a majority voted for it')
  }
}

function otherVoters(state: State): NodeId[] {
  const { voters, votersOutgoing } = state.membership
  return [...new Set([...voters, ...votersOutgoing])].filter((id) => id !== state.id)
}

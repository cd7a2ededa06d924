/**
 * Majorities, of one set of voters or of two at once: while a configuration is joint (§6) every decision needs a majority
 * of the new voters and one of the old.
 */
import type { Membership, NodeId } from '../types.ts'

/** The two sets of voters that decide; `votersOutgoing` is empty outside a change. */
export type Voters = Pick<Membership, 'voters' | 'votersOutgoing'>

/**
 * The highest number that a majority has reached, for numbers that only grow: matchIndexes, rounds, times of contact.
 *
 * @param reached what one voter has reached
 * @returns -Infinity when there are no voters: nobody can decide anything
 */
export function quorumReached(voters: Voters, reached: (id: NodeId) => number): number {
  const incoming = majorityReached(voters.voters, reached)
  if (voters.votersOutgoing.length === 0) return incoming
  return Math.min(incoming, majorityReached(voters.votersOutgoing, reached))
}

export type VoteResult = 'won' | 'lost' | 'pending'

/**
 * How an election stands.
 *
 * @param votes true or false from those who have answered; only voters' answers count
 */
export function countVotes(voters: Voters, votes: ReadonlyMap<NodeId, boolean>): VoteResult {
  const incoming = countMajority(voters.voters, votes)
  if (voters.votersOutgoing.length === 0) return incoming
  const outgoing = countMajority(voters.votersOutgoing, votes)
  if (incoming === 'lost' || outgoing === 'lost') return 'lost'
  return incoming === 'won' && outgoing === 'won' ? 'won' : 'pending'
}

/** Does `id` count in elections and commitment? */
export function isVoter(voters: Voters, id: NodeId): boolean {
  return voters.voters.includes(id) || voters.votersOutgoing.includes(id)
}

/** How many of `count` voters are a majority. */
export function majorityOf(count: number): number {
  return Math.floor(count / 2) + 1
}

/** What voters have reached, while that is sorted: used again, for this runs for every acknowledgement. */
let sorted = new Float64Array(16)

function majorityReached(voters: readonly NodeId[], reached: (id: NodeId) => number): number {
  if (voters.length === 0) return -Infinity
  if (voters.length > sorted.length) sorted = new Float64Array(2 * voters.length)
  const values = sorted
  // Sorted as they come, highest first: there are few.
  for (let count = 0; count < voters.length; count++) {
    const value = reached(voters[count] as NodeId)
    let at = count
    for (; at > 0 && (values[at - 1] as number) < value; at--) values[at] = values[at - 1] as number
    values[at] = value
  }
  return values[majorityOf(voters.length) - 1] as number
}

function countMajority(voters: readonly NodeId[], votes: ReadonlyMap<NodeId, boolean>): VoteResult {
  let granted = 0
  let unanswered = 0
  for (const id of voters) {
    const vote = votes.get(id)
    if (vote === true) granted++
    if (vote === undefined) unanswered++
  }
  const needed = majorityOf(voters.length)
  if (granted >= needed) return 'won'
  return granted + unanswered < needed ? 'lost' : 'pending'
}

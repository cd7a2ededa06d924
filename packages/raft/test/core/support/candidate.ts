/** A server in the middle of an election, and the answers that it waits for. */
import type { Message } from '../../../src/core/messages.ts'
import { OneServer, membershipOf } from './one-server.ts'

export const FIVE = membershipOf(['A', 'B', 'C', 'D', 'E'])

export function vote(term: number, voteGranted = true): Message {
  return { type: 'RequestVoteReply', term, preVote: false, voteGranted }
}

export function preVote(term: number, voteGranted = true): Message {
  return { type: 'RequestVoteReply', term, preVote: true, voteGranted }
}

/** A candidate of term 3 whose votes are being counted. */
export function candidate(options: ConstructorParameters<typeof OneServer>[0] = {}): OneServer {
  const server = new OneServer({ log: [1, 2], membership: FIVE, ...options })
  server.timeOut()
  server.receive('B', preVote(3))
  server.receive('C', preVote(3))
  return server
}

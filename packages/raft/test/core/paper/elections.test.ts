/** Elections: §5.1, §5.2, §5.4.1, §6 of the paper. One test per rule. */
import { describe, expect, test } from 'vitest'
import type { Message } from '../../../src/core/messages.ts'
import { candidate, preVote, vote } from '../support/candidate.ts'
import {
  OneServer,
  TIMING,
  appendEntries,
  entriesOf,
  membershipOf,
  requestVote,
} from '../support/one-server.ts'

describe('§5.1 terms', () => {
  const later: [string, Message][] = [
    ['RequestVote', requestVote({ term: 9 })],
    ['RequestVoteReply', vote(9, false)],
    ['AppendEntries', appendEntries({ term: 9 })],
    ['TimeoutNow', { type: 'TimeoutNow', term: 8 }],
  ]
  test.each(later)('a candidate that sees a later term in %s enters it as a follower', (type, message) => {
    const server = candidate()
    server.receive('D', message)
    const { role, currentTerm } = server.status
    expect(currentTerm).toBe(9)
    expect(role).toBe(type === 'TimeoutNow' ? 'candidate' : 'follower')
    expect(server.disk.hardState.currentTerm).toBe(9)
  })

  test('a leader that sees a later term in an answer steps down', () => {
    const server = new OneServer()
    server.leadInPeace()
    server.receive('B', {
      type: 'AppendEntriesReply',
      term: 5,
      success: false,
      prevLogIndex: 0,
      matchIndex: 0,
      conflictIndex: 0,
      conflictTerm: 0,
      round: 0,
    })
    expect(server.status).toMatchObject({ role: 'follower', currentTerm: 5, leader: null })
  })

  test('a request of an earlier term is refused with the current one', () => {
    const server = new OneServer({ term: 4 })
    server.receive('B', appendEntries({ term: 3 }))
    server.receive('B', requestVote({ term: 3, lastLogTerm: 3, lastLogIndex: 9 }))
    const membership = new Uint8Array()
    server.receive('B', {
      type: 'InstallSnapshot',
      term: 3,
      snapshot: { index: 5, term: 3, membership },
      size: 0,
      crc: 0,
      offset: 0,
      data: new Uint8Array(),
      done: true,
      round: 1,
    })
    expect(server.takeSent()).toMatchObject([
      { type: 'AppendEntriesReply', term: 4, success: false },
      { type: 'RequestVoteReply', term: 4, voteGranted: false },
      { type: 'InstallSnapshotReply', term: 4, installed: false },
    ])
    expect(server.status).toMatchObject({ leader: null, currentTerm: 4 })
    expect(server.snapshotWrites).toEqual([])
  })

  test('answers of an earlier term are dropped', () => {
    const server = candidate()
    server.receive('B', vote(2))
    server.receive('C', vote(2))
    expect(server.status.role).toBe('candidate')
  })
})

describe('§5.2 leader election', () => {
  test('a server starts as a follower and stays one while it hears from a leader', () => {
    const server = new OneServer()
    expect(server.status.role).toBe('follower')
    for (let beat = 0; beat < 20; beat++) {
      server.receive('B', appendEntries({ term: 1 }))
      server.pass(140)
    }
    expect(server.status).toMatchObject({ role: 'follower', leader: 'B', currentTerm: 1 })
  })

  test('a follower that hears nothing campaigns: next term, own vote, RequestVote to all others', () => {
    const server = candidate()
    expect(server.status).toMatchObject({ role: 'candidate', currentTerm: 3, votedFor: 'A' })
    const requests = server.sent.filter(({ message }) => message.type === 'RequestVote' && !message.preVote)
    expect(requests.map(({ to }) => to)).toEqual(['B', 'C', 'D', 'E'])
    expect(requests[0]?.message).toMatchObject({ term: 3, lastLogIndex: 2, lastLogTerm: 2 })
  })

  test('election timeouts lie between the bounds and are drawn anew each time', () => {
    const draws = [0, 0.999, 0.25, 0.75]
    let drawn = 0
    const server = new OneServer({ random: () => draws[drawn++ % draws.length] ?? 0 })
    const waits = [0, 1, 2, 3].map(() => {
      const wait = server.deadline - server.now
      server.timeOut()
      return wait
    })
    for (const wait of waits) {
      expect(wait).toBeGreaterThanOrEqual(TIMING.electionTimeoutMsMin)
      expect(wait).toBeLessThanOrEqual(TIMING.electionTimeoutMsMax)
    }
    expect(new Set(waits).size).toBe(4)
  })

  test('who follows a leader waits no longer than half the spread, and never less than the least', () => {
    const { electionTimeoutMsMin: min, electionTimeoutMsMax: max } = TIMING
    for (const [random, wait] of [
      [0, min],
      [1, (min + max) / 2],
    ] as const) {
      const server = new OneServer({ random: () => random })
      server.receive('B', appendEntries({ term: 1 }))
      expect(server.deadline - server.now).toBe(wait)
      // Nobody answers: whom it collided with may be as fast again, so the whole spread counts.
      server.timeOut()
      expect(server.status.role).toBe('candidate')
      expect(server.deadline - server.now).toBe(random === 0 ? min : max)
    }
  })

  test('who grants a pre-vote lets the other campaign first: no split vote (thesis §9.6)', () => {
    const server = new OneServer({ random: () => 0 })
    server.pass(TIMING.electionTimeoutMsMin - 1)
    server.receive('B', requestVote({ term: 1, preVote: true }))
    server.pass(TIMING.heartbeatMs - 1)
    expect(server.status.role).toBe('follower')
    // It was no promise: the other may be gone.
    server.pass(1)
    expect(server.status.role).toBe('candidate')
  })

  test('who refuses a pre-vote waits no longer for it', () => {
    const server = new OneServer({ random: () => 0, log: [1] })
    server.pass(TIMING.electionTimeoutMsMin - 1)
    server.receive('B', requestVote({ term: 2, preVote: true }))
    server.pass(1)
    expect(server.status.role).toBe('candidate')
  })

  test('a candidate with votes from a majority leads, and says so to all at once', () => {
    const server = candidate()
    server.takeSent()
    server.receive('B', vote(3))
    expect(server.status.role).toBe('candidate')
    server.receive('C', vote(3))
    expect(server.status).toMatchObject({ role: 'leader', leader: 'A' })
    expect(server.sent.map(({ to, message }) => `${to} ${message.type}`)).toEqual(
      ['B', 'C', 'D', 'E'].map((to) => `${to} AppendEntries`),
    )
  })

  test('one voter counts once, however often it answers', () => {
    const server = candidate()
    for (let repeat = 0; repeat < 4; repeat++) server.receive('B', vote(3))
    expect(server.status.role).toBe('candidate')
  })

  test('answers from servers outside the candidate’s configuration do not count', () => {
    const server = candidate()
    for (const id of ['X', 'Y', 'Z']) server.receive(id, vote(3))
    expect(server.status.role).toBe('candidate')
  })

  test('a candidate that a majority refuses goes back to following', () => {
    const server = candidate()
    for (const id of ['B', 'C', 'D']) server.receive(id, vote(3, false))
    expect(server.status).toMatchObject({ role: 'follower', currentTerm: 3, votedFor: 'A' })
  })

  test('a candidate follows whoever turns up as leader of its term', () => {
    const server = candidate()
    server.receive('D', appendEntries({ term: 3 }))
    expect(server.status).toMatchObject({ role: 'follower', leader: 'D', currentTerm: 3 })
  })

  test('a candidate without a majority tries again after another timeout', () => {
    const server = candidate()
    server.takeSent()
    server.timeOut()
    expect(server.takeSentOf('RequestVote', 'B')).toMatchObject([{ preVote: true, term: 4 }])
  })

  test('the vote of a term goes to the first who asks, and to nobody else', () => {
    const server = new OneServer()
    server.receive('B', requestVote({ term: 1 }))
    server.receive('C', requestVote({ term: 1 }))
    server.receive('B', requestVote({ term: 1 }))
    expect(server.takeSentOf('RequestVoteReply').map((reply) => reply.voteGranted)).toEqual([
      true,
      false,
      true,
    ])
    expect(server.disk.hardState).toEqual({ currentTerm: 1, votedFor: 'B' })
    expect(server.refusals()).toEqual(['vote: the vote went to B'])
  })

  test('the vote is not forgotten by a restart', () => {
    const server = new OneServer()
    server.receive('B', requestVote({ term: 1 }))
    server.restart()
    server.receive('C', requestVote({ term: 1 }))
    expect(server.takeSentOf('RequestVoteReply', 'C')).toMatchObject([{ voteGranted: false }])
  })

  test('a granted vote restarts the election timeout, a refused one does not', () => {
    const server = new OneServer({ log: [1] })
    const before = server.deadline
    server.pass(100)
    server.receive('B', requestVote({ term: 2 }))
    expect(server.takeSentOf('RequestVoteReply')).toMatchObject([{ voteGranted: false }])
    // A later term alone starts the wait anew, so the refusal is looked at within one term.
    const refused = server.deadline
    server.pass(20)
    server.receive('B', requestVote({ term: 2 }))
    expect(server.deadline).toBe(refused)
    server.receive('C', requestVote({ term: 2, lastLogIndex: 1, lastLogTerm: 1 }))
    expect(server.deadline).toBeGreaterThan(refused)
    expect(refused).toBeGreaterThan(before)
  })

  test('the only voter leads without waiting for anybody', () => {
    const server = new OneServer({ membership: membershipOf(['A']) })
    server.pass(0)
    expect(server.status).toMatchObject({ role: 'leader', currentTerm: 1 })
  })
})

describe('§5.4.1 election restriction', () => {
  test.each([
    ['a shorter log', 2, 2, false],
    ['an equal log', 3, 2, true],
    ['a longer log', 4, 2, true],
    ['a longer log of an earlier term', 9, 1, false],
    ['a shorter log of a later term', 1, 3, true],
  ])('a candidate with %s', (_, lastLogIndex, lastLogTerm, voteGranted) => {
    for (const preVote of [false, true]) {
      const server = new OneServer({ log: [1, 2, 2] })
      server.receive('B', requestVote({ term: 4, lastLogIndex, lastLogTerm, preVote }))
      expect(server.takeSentOf('RequestVoteReply')).toMatchObject([{ voteGranted, preVote }])
      if (!voteGranted) expect(server.refusals().join()).toContain('(§5.4.1)')
    }
  })
})

describe('§6 who votes', () => {
  test('a server without a vote in its own configuration grants votes, but never campaigns', () => {
    const server = new OneServer({ membership: membershipOf(['B', 'C'], { learners: ['A'] }) })
    expect(server.deadline).toBe(Infinity)
    server.receive('B', requestVote({ term: 1 }))
    expect(server.status.votedFor).toBe('B')
    server.receive('B', { type: 'TimeoutNow', term: 1 })
    expect(server.status).toMatchObject({ role: 'follower', currentTerm: 1 })
  })

  test('in a joint configuration an election needs both majorities', () => {
    const membership = membershipOf(['A', 'B', 'C'], { votersOutgoing: ['A', 'D', 'E'] })
    const server = new OneServer({ membership })
    server.timeOut()
    for (const id of ['B', 'C']) server.receive(id, preVote(1))
    expect(server.status.currentTerm).toBe(0)
    server.receive('D', preVote(1))
    for (const id of ['D', 'E']) server.receive(id, vote(1))
    expect(server.status).toMatchObject({ role: 'candidate', currentTerm: 1 })
    server.receive('C', vote(1))
    expect(server.status.role).toBe('leader')
  })
})

test('a second leader in one term stops the server: the paper’s election safety is broken (Figure 3)', () => {
  const server = new OneServer()
  server.leadInPeace()
  expect(() => {
    server.receive('B', appendEntries({ term: 1, entries: entriesOf([1]) }))
  }).toThrow('at most one leader')
})

/** Elections that nobody needs: pre-vote (thesis §9.6), stickiness (§4.2.3), a leader that is cut off (§6.2). */
import { describe, expect, test } from 'vitest'
import type { Message } from '../../../src/core/messages.ts'
import { FIVE, candidate, preVote, vote } from '../support/candidate.ts'
import { OneServer, TIMING, appendEntries, membershipOf, requestVote } from '../support/one-server.ts'

describe('thesis §9.6 pre-vote', () => {
  test('a timeout changes neither term nor vote until a majority would grant it', () => {
    const server = new OneServer({ log: [1], membership: FIVE })
    server.timeOut()
    server.receive('B', preVote(2))
    expect(server.status).toMatchObject({ role: 'candidate', currentTerm: 1, votedFor: '', leader: null })
    expect(server.takeSentOf('RequestVote', 'E')).toMatchObject([{ preVote: true, term: 2, lastLogIndex: 1 }])
    server.receive('C', preVote(2))
    expect(server.status).toMatchObject({ role: 'candidate', currentTerm: 2, votedFor: 'A' })
  })

  test('a server cut off for long does not raise its term, so its return disturbs nobody', () => {
    const server = new OneServer({ log: [1] })
    server.pass(10_000)
    expect(server.status.currentTerm).toBe(1)
  })

  test('granting a pre-vote changes nothing at the voter, who may grant it to many', () => {
    const server = new OneServer()
    const deadline = server.deadline
    for (const id of ['B', 'C']) server.receive(id, requestVote({ term: 1, preVote: true }))
    expect(server.takeSentOf('RequestVoteReply')).toMatchObject([
      { term: 1, voteGranted: true },
      { term: 1, voteGranted: true },
    ])
    expect(server.status).toMatchObject({ currentTerm: 0, votedFor: '' })
    expect(server.deadline).toBe(deadline)
  })

  test('a refused pre-vote carries the voter’s later term, so that the candidate catches up', () => {
    const voter = new OneServer({ term: 7 })
    voter.receive('B', requestVote({ term: 3, preVote: true }))
    const [refusal] = voter.takeSentOf('RequestVoteReply')
    expect(refusal).toMatchObject({ term: 7, voteGranted: false })
    const server = new OneServer({ term: 2 })
    server.timeOut()
    server.receive('B', refusal as Message)
    expect(server.status).toMatchObject({ role: 'follower', currentTerm: 7 })
  })

  test('pre-votes of one campaign do not count as votes in it', () => {
    const server = candidate()
    for (const id of ['B', 'C', 'D', 'E']) server.receive(id, preVote(3))
    expect(server.status.role).toBe('candidate')
  })
})

describe('a connection that broke', () => {
  const broke = (peer: string) => ({ type: 'unreachable', peer, broke: true }) as const
  /** A follower of B in term 1. */
  function follower(random = 0.5): OneServer {
    const server = new OneServer({ term: 1, random: () => random })
    server.receive('B', appendEntries({ term: 1 }))
    server.takeSent()
    return server
  }

  test.each([0, 0.5, 0.99])(
    'to the leader: pre-votes are asked for within a heartbeat, and no term is raised for it (§9.6), draw %d',
    (random) => {
      const server = follower(random)
      server.step(broke('B'))
      expect(server.deadline - server.now).toBeLessThanOrEqual(TIMING.heartbeatMs)
      server.timeOut()
      expect(server.takeSentOf('RequestVote', 'C')).toMatchObject([{ preVote: true, term: 2 }])
      expect(server.status).toMatchObject({ currentTerm: 1, votedFor: '' })
    },
  )

  test('who lost the leader too grants; who still hears it refuses, so that one broken wire disturbs nobody (§4.2.3)', () => {
    const [lost, hears] = [follower(), follower()]
    lost.step(broke('B'))
    for (const server of [lost, hears]) server.receive('C', requestVote({ term: 2, preVote: true }))
    expect(lost.takeSentOf('RequestVoteReply')).toMatchObject([{ voteGranted: true }])
    expect(hears.takeSentOf('RequestVoteReply')).toMatchObject([{ voteGranted: false }])
  })

  test('a word from the leader undoes it: patience and stickiness are back', () => {
    const server = follower()
    server.step(broke('B'))
    server.receive('B', appendEntries({ term: 1 }))
    expect(server.deadline - server.now).toBeGreaterThanOrEqual(TIMING.electionTimeoutMsMin)
    server.takeSent()
    server.receive('C', requestVote({ term: 2, preVote: true }))
    expect(server.takeSentOf('RequestVoteReply')).toMatchObject([{ voteGranted: false }])
  })

  test('to somebody else, or one that was not there before, changes nothing', () => {
    const server = follower()
    const deadline = server.deadline
    server.step(broke('C'))
    server.step({ type: 'unreachable', peer: 'B', broke: false })
    expect(server.deadline).toBe(deadline)
  })

  test('where leases are on, patience was promised and stays (thesis §6.4.1, trap 13)', () => {
    const leases = membershipOf(['A', 'B', 'C'], { leases: true })
    const server = new OneServer({ term: 1, membership: leases })
    server.pass(TIMING.electionTimeoutMsMax)
    server.receive('B', appendEntries({ term: 1 }))
    const deadline = server.deadline
    server.takeSent()
    server.step(broke('B'))
    server.receive('C', requestVote({ term: 2, preVote: true }))
    expect(server.deadline).toBe(deadline)
    expect(server.takeSentOf('RequestVoteReply')).toMatchObject([{ voteGranted: false }])
  })
})

describe('thesis §4.2.3 stickiness', () => {
  test.each([true, false])(
    'whoever heard of a leader just now refuses (pre-vote: %s) and keeps its term',
    (preVote) => {
      const server = new OneServer({ term: 1 })
      server.receive('B', appendEntries({ term: 1 }))
      server.takeSent()
      server.receive('C', requestVote({ term: 8, lastLogIndex: 9, lastLogTerm: 1, preVote }))
      expect(server.takeSent()).toMatchObject([{ type: 'RequestVoteReply', voteGranted: false, term: 1 }])
      expect(server.status).toMatchObject({ currentTerm: 1, leader: 'B' })
      expect(server.refusals().at(-1)).toMatch('B leads and was heard of just now')
    },
  )

  test('after the shortest election timeout without it, votes are granted again', () => {
    const server = new OneServer({ term: 1 })
    server.receive('B', appendEntries({ term: 1 }))
    server.pass(TIMING.electionTimeoutMsMin)
    server.receive('C', requestVote({ term: 2 }))
    expect(server.status).toMatchObject({ currentTerm: 2, votedFor: 'C' })
  })

  test('a leader refuses too: it would step down by itself if it had lost its majority', () => {
    const server = new OneServer()
    server.leadInPeace()
    server.receive('C', requestVote({ term: 8, lastLogIndex: 9, lastLogTerm: 7 }))
    expect(server.status).toMatchObject({ role: 'leader', currentTerm: 1 })
  })

  test('an election that the leader itself asked for is no disturbance (thesis §3.10)', () => {
    const server = new OneServer()
    server.leadInPeace()
    server.receive('B', requestVote({ term: 2, lastLogIndex: 2, lastLogTerm: 1, transfer: true }))
    expect(server.status).toMatchObject({ role: 'follower', currentTerm: 2, votedFor: 'B' })
  })
})

describe('thesis §6.2 a leader without its majority', () => {
  test('steps down after an election timeout, and says why', () => {
    const server = new OneServer({ membership: FIVE })
    server.timeOut()
    for (const id of ['B', 'C']) server.receive(id, preVote(1))
    for (const id of ['B', 'C']) server.receive(id, vote(1))
    server.pass(200)
    server.acknowledge('B', 0)
    server.pass(TIMING.electionTimeoutMsMax - 201)
    expect(server.status.role).toBe('leader')
    server.pass(2)
    expect(server.status).toMatchObject({ role: 'follower', currentTerm: 1, leader: null })
    expect(server.changes.findLast((change) => change.type === 'role')).toMatchObject({
      why: 'a majority was not heard of for an election timeout',
    })
  })

  test('stays while a majority answers heartbeats', () => {
    const server = new OneServer()
    server.leadInPeace()
    for (let beat = 0; beat < 20; beat++) {
      server.pass(TIMING.heartbeatMs)
      server.acknowledge('C')
    }
    expect(server.status.role).toBe('leader')
  })
})

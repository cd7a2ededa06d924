/** Groups that rest: the beats of processes stand for their heartbeats (core/hosts.ts, its five rules). */
import { describe, expect, test } from 'vitest'
import type { Claim } from '../../../src/core/hosts.ts'
import {
  OneServer,
  TIMING,
  appendEntries,
  membershipOf,
  requestVote,
  type OneServerOptions,
} from '../support/one-server.ts'

const { heartbeatMs, electionTimeoutMsMin, electionTimeoutMsMax } = TIMING

function alive(server: OneServer, peer: string, claim: Partial<Claim> = {}, fresh = false): void {
  server.step({ type: 'hostAlive', peer, claim: { leads: 0, knows: 0, ...claim }, fresh })
}

function silent(server: OneServer, peer: string, heardAt = server.now, stagger = 0): void {
  server.step({ type: 'hostSilent', peer, heardAt, stagger })
}

/** `from` answers the newest round that it was sent. */
function answer(server: OneServer, from: string): void {
  const round = server.takeSentOf('AppendEntries', from).at(-1)?.round
  if (round !== undefined) server.acknowledge(from, server.status.lastIndex, round)
}

/** The term of a leader whose followers hold all that it has, and whose processes know that it leads. */
function leader(options: OneServerOptions = {}): OneServer {
  const server = new OneServer({ beats: true, ...options })
  server.leadInPeace()
  for (const peer of ['B', 'C']) alive(server, peer, { knows: server.status.currentTerm })
  return server
}

/** Both followers have answered the last heartbeat. */
function quietLeader(options: OneServerOptions = {}): OneServer {
  const server = leader(options)
  for (let beat = 0; beat < 2; beat++) settle(server)
  return server
}

/** Lets time pass until heartbeats leave, if any do. */
function untilBeat(server: OneServer): void {
  server.takeSent()
  for (let ms = 0; ms < 2 * heartbeatMs && server.sent.length === 0; ms++) server.pass(1)
}

function settle(server: OneServer): void {
  untilBeat(server)
  const rounds = new Map(
    server.sent.flatMap(({ to, message }) => (message.type === 'AppendEntries' ? [[to, message.round]] : [])),
  )
  server.takeSent()
  for (const [to, round] of rounds) server.acknowledge(to, server.status.lastIndex, round)
}

/** A follower of B in term 1, patient. */
function patientFollower(options: OneServerOptions = {}): OneServer {
  const server = new OneServer({ beats: true, log: [1], ...options })
  server.receive('B', appendEntries({ term: 1, prevLogIndex: 1, prevLogTerm: 1 }))
  alive(server, 'B', { leads: 1 })
  server.takeSent()
  return server
}

describe('a leader', () => {
  test('sends one last heartbeat, and none once all have answered it', () => {
    const server = leader()
    settle(server) // The commit is told.
    untilBeat(server)
    expect(server.sent.map(({ to }) => to)).toEqual(['B', 'C'])
    const round = server.takeSentOf('AppendEntries').at(-1)?.round
    for (const id of ['B', 'C']) server.acknowledge(id, server.status.lastIndex, round)
    server.pass(60_000)
    expect(server.takeSent()).toEqual([])
    expect(server.status.role).toBe('leader')
    expect(server.deadline).toBe(Infinity)
  })

  test('goes on with who has not answered', () => {
    const server = leader()
    settle(server)
    untilBeat(server)
    answer(server, 'B')
    server.pass(4 * heartbeatMs)
    expect(new Set(server.sent.map(({ to }) => to))).toEqual(new Set(['C']))
  })

  test('an answer to an earlier heartbeat is not the last one’s: it may have come before the last commit was told', () => {
    const server = leader()
    const before = server.status.lastIndex
    settle(server)
    untilBeat(server)
    const round = server.takeSentOf('AppendEntries', 'B').at(-1)?.round ?? 0
    for (const id of ['B', 'C']) server.acknowledge(id, before, round - 1)
    server.pass(heartbeatMs)
    expect(server.takeSentOf('AppendEntries', 'B')).toHaveLength(1)
  })

  test('an answer to a message that ended before the last entry is none to the whole: no commit beyond its end was told', () => {
    const server = leader()
    const { lastIndex } = server.status
    settle(server)
    untilBeat(server)
    const round = server.takeSentOf('AppendEntries', 'B').at(-1)?.round ?? 0
    server.acknowledge('C', lastIndex, round)
    // A heartbeat of that round that left while the entry itself was still on its way.
    server.acknowledge('B', lastIndex - 1, round)
    untilBeat(server)
    expect(server.sent.map(({ to }) => to)).toEqual(['B'])
    server.acknowledge('B', lastIndex, round)
    server.takeSent()
    server.pass(10_000)
    expect(server.takeSent()).toEqual([])
  })

  test('is not quiet before the processes of its followers know that it leads: they would lose patience', () => {
    const server = new OneServer({ beats: true })
    server.leadInPeace()
    for (const peer of ['B', 'C']) alive(server, peer, { knows: 0 })
    for (let beat = 0; beat < 3; beat++) settle(server)
    server.pass(heartbeatMs)
    expect(server.takeSentOf('AppendEntries', 'B')).toHaveLength(1)
    for (const peer of ['B', 'C']) alive(server, peer, { knows: server.status.currentTerm })
    settle(server)
    server.takeSent()
    server.pass(10_000)
    expect(server.takeSent()).toEqual([])
  })

  test('wakes for a command, and rests again when it is everywhere', () => {
    const server = quietLeader()
    server.pass(5000)
    server.takeSent()
    server.propose('x')
    expect(server.sent.map(({ to }) => to)).toEqual(['B', 'C'])
    expect(server.status.role).toBe('leader')
    for (const id of ['B', 'C']) server.acknowledge(id)
    expect(server.status.commitIndex).toBe(server.status.lastIndex)
    for (let beat = 0; beat < 3; beat++) settle(server)
    server.takeSent()
    server.pass(10_000)
    expect(server.takeSent()).toEqual([])
  })

  test('wakes for a read: a round of its own, and its index once a majority has answered (thesis §6.4)', () => {
    const server = quietLeader()
    server.pass(5000)
    server.takeSent()
    const id = server.read()
    expect(server.reads).toEqual([])
    expect(server.sent.map(({ to }) => to)).toEqual(['B', 'C'])
    answer(server, 'B')
    expect(server.reads).toEqual([{ id, index: server.status.commitIndex }])
  })

  test('with leases on rests, too; the first read takes a round, those after it the lease (thesis §6.4.1)', () => {
    const server = quietLeader({ membership: membershipOf(['A', 'B', 'C'], { leases: true }) })
    server.pass(10_000)
    expect(server.takeSent()).toEqual([])
    expect(server.core.leaseIndex(server.now)).toEqual({ ok: false, why: 'expired' })
    server.read()
    answer(server, 'B')
    expect(server.core.leaseIndex(server.now)).toMatchObject({ ok: true })
    server.pass(electionTimeoutMsMax)
    expect(server.takeSentOf('AppendEntries', 'C').length).toBeGreaterThan(3)
  })

  test('keeps office while the processes of a majority beat, and loses it an election timeout after they fell silent (§6.2)', () => {
    const server = quietLeader()
    server.pass(60_000)
    silent(server, 'B', server.now - electionTimeoutMsMin)
    silent(server, 'C', server.now - electionTimeoutMsMin)
    server.pass(electionTimeoutMsMax - electionTimeoutMsMin - 1)
    expect(server.status.role).toBe('leader')
    server.pass(1)
    expect(server.status.role).toBe('follower')
  })

  test('one silent process of three does not end its office, and gets no heartbeats that it could not answer', () => {
    const server = quietLeader()
    silent(server, 'C')
    server.takeSent()
    server.pass(60_000)
    expect(server.takeSent()).toEqual([])
    expect(server.status.role).toBe('leader')
    server.propose('x')
    server.acknowledge('B')
    let toC = 0
    for (let beat = 0; beat < 10; beat++) {
      untilBeat(server)
      toC += server.sent.filter(({ to }) => to === 'C').length
      answer(server, 'B')
    }
    // What is committed, and the last heartbeat, in a round that all are to answer.
    expect(toC).toBeLessThanOrEqual(2)
    expect(server.status).toMatchObject({ role: 'leader', commitIndex: server.status.lastIndex })
  })

  test('speaks at once to a process that returns, or whose group started anew: it may have forgotten', () => {
    const server = quietLeader()
    server.pass(5000)
    server.takeSent()
    alive(server, 'C', { knows: server.status.currentTerm }, true)
    expect(server.takeSentOf('AppendEntries', 'C')).toHaveLength(1)
  })

  test('a command after a long rest does not make it forget that it was in touch all along', () => {
    const server = quietLeader()
    server.pass(60_000)
    server.propose('x')
    server.pass(electionTimeoutMsMin)
    expect(server.status.role).toBe('leader')
    server.pass(electionTimeoutMsMax)
    expect(server.status.role).toBe('follower')
  })

  test('answers who asks for votes with a heartbeat: it may know of a later term, which would never come out', () => {
    const server = quietLeader()
    server.pass(5000)
    server.takeSent()
    server.receive('C', requestVote({ term: 7, preVote: true }))
    expect(server.takeSentOf('AppendEntries', 'C')).toHaveLength(1)
    server.receive('C', {
      ...{ type: 'AppendEntriesReply', term: 6, success: false, prevLogIndex: 1, matchIndex: 0 },
      ...{ conflictIndex: 0, conflictTerm: 0, round: 1 },
    })
    expect(server.status).toMatchObject({ role: 'follower', currentTerm: 6 })
  })
})

describe('a follower', () => {
  test('is patient as long as its leader’s process beats and claims to lead this term', () => {
    const server = patientFollower()
    server.pass(600_000)
    expect(server.status).toMatchObject({ role: 'follower', leader: 'B', currentTerm: 1 })
  })

  test.each([0, 2, 7])('is not patient for a claim to lead term %i while it follows term 1', (leads) => {
    const server = new OneServer({ beats: true, log: [1] })
    server.receive('B', appendEntries({ term: 1, prevLogIndex: 1, prevLogTerm: 1 }))
    alive(server, 'B', { leads })
    server.pass(electionTimeoutMsMax)
    expect(server.status.role).toBe('candidate')
  })

  test('is not patient because of another process', () => {
    const server = new OneServer({ beats: true, log: [1] })
    server.receive('B', appendEntries({ term: 1, prevLogIndex: 1, prevLogTerm: 1 }))
    alive(server, 'C', { leads: 1 })
    server.pass(electionTimeoutMsMax)
    expect(server.status.role).toBe('candidate')
  })

  test('waits an election timeout from the last beat, and later when many wait with it', () => {
    for (const stagger of [0, 500]) {
      const server = patientFollower()
      server.pass(10_000)
      silent(server, 'B', server.now - electionTimeoutMsMin, stagger)
      // random() is a half, of the nearer half: 187.5 ms from the last beat.
      const left = (electionTimeoutMsMax - electionTimeoutMsMin) / 4 + stagger
      server.pass(left - 1)
      expect(server.status.role).toBe('follower')
      server.pass(1)
      expect(server.status.role).toBe('candidate')
    }
  })

  test('votes for nobody else while the process beats, and may as soon as it is silent (thesis §4.2.3)', () => {
    const server = patientFollower()
    server.pass(10_000)
    const request = requestVote({ term: 2, lastLogIndex: 1, lastLogTerm: 1 })
    server.receive('C', request)
    expect(server.status).toMatchObject({ currentTerm: 1, leader: 'B' })
    silent(server, 'B', server.now - electionTimeoutMsMin, 10_000)
    server.receive('C', request)
    expect(server.status).toMatchObject({ currentTerm: 2, votedFor: 'C' })
  })

  test('a process that says that it leads no more is waited for no longer', () => {
    const server = patientFollower()
    server.pass(10_000)
    alive(server, 'B', { leads: 0 })
    expect(server.status.leader).toBeNull()
    server.pass(electionTimeoutMsMax)
    expect(server.status.role).toBe('candidate')
  })

  test('that had lost its leader finds it again by the claim of its term, and of no other', () => {
    const server = patientFollower()
    silent(server, 'B')
    server.pass(electionTimeoutMsMax)
    expect(server.status).toMatchObject({ role: 'candidate', leader: null, currentTerm: 1 })
    alive(server, 'B', { leads: 2 }, true)
    expect(server.status.role).toBe('candidate')
    alive(server, 'B', { leads: 1 }, true)
    expect(server.status).toMatchObject({ role: 'follower', leader: 'B', currentTerm: 1 })
  })

  test('what a beat says moves no term, no vote, no commit', () => {
    const server = patientFollower()
    const { currentTerm, votedFor, commitIndex } = server.status
    server.takeSent()
    alive(server, 'C', { leads: 99, knows: 99 }, true)
    alive(server, 'B', { leads: 99, knows: 99 }, true)
    silent(server, 'C')
    expect(server.status).toMatchObject({ currentTerm, votedFor, commitIndex, role: 'follower' })
    expect(server.takeSent()).toEqual([])
    expect(server.writing).toBeNull()
  })
})

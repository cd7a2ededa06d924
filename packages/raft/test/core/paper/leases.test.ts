/** Reads under a lease: thesis §6.4.1, with what a restart, a hand-over and a late message may do to it (trap 13). */
import { describe, expect, test } from 'vitest'
import type { AppendEntriesReply } from '../../../src/core/messages.ts'
import {
  OneServer,
  TIMING,
  appendEntries,
  membershipOf,
  requestVote,
  type OneServerOptions,
} from '../support/one-server.ts'

const LEASE_MS = 0.9 * TIMING.electionTimeoutMsMin
const leases = membershipOf(['A', 'B', 'C'], { leases: true })

function ack(round: number, matchIndex: number, term = 1): AppendEntriesReply {
  return {
    type: 'AppendEntriesReply',
    term,
    success: true,
    prevLogIndex: 0,
    matchIndex,
    conflictIndex: 0,
    conflictTerm: 0,
    round,
  }
}

/** A leader whose first entries B and C hold, at the moment when it sends a new round, and that round. */
function leader(options: OneServerOptions = {}): { server: OneServer; round: number } {
  const server = new OneServer({ membership: leases, ...options })
  server.leadInPeace()
  return { server, round: beat(server) }
}

/** Lets a heartbeat's time pass. Returns the round that leaves at its end. */
function beat(server: OneServer): number {
  server.pass(TIMING.heartbeatMs)
  return server.takeSentOf('AppendEntries', 'B').at(-1)?.round ?? 0
}

/** What a read under the lease would be told now. */
function lease(server: OneServer): ReturnType<OneServer['core']['leaseIndex']> {
  return server.core.leaseIndex(server.now)
}

describe('thesis §6.4.1 the leader', () => {
  test('reads without a message as long as a majority’s answer is young, counted from when the question left', () => {
    const { server, round } = leader()
    const sentAt = server.now
    server.now += 40
    server.receive('B', ack(round, 2))
    server.now = sentAt + LEASE_MS - 1
    expect(lease(server)).toEqual({ ok: true, index: 2 })
    server.now = sentAt + LEASE_MS
    expect(lease(server)).toEqual({ ok: false, why: 'expired' })
  })

  test('a late answer to an old round prolongs nothing', () => {
    const { server, round } = leader()
    const sentAt = server.now
    for (let beats = 0; beats < 2; beats++) server.pass(TIMING.heartbeatMs)
    server.receive('B', ack(round, 2))
    server.now = sentAt + LEASE_MS
    expect(lease(server)).toEqual({ ok: false, why: 'expired' })
  })

  test('needs a majority of both sets of voters while the configuration is joint (§6)', () => {
    const { server } = leader()
    server.changeMembership({ add: { D: [], E: [] }, remove: ['B', 'C'] })
    for (const id of ['B', 'D', 'E']) server.acknowledge(id)
    expect(server.status.membership).toMatchObject({ votersOutgoing: ['A', 'B', 'C'], leases: true })
    server.pass(LEASE_MS)
    const round = beat(server)
    server.receive('D', ack(round, 4))
    server.receive('E', ack(round, 4))
    expect(lease(server)).toEqual({ ok: false, why: 'expired' })
    // With the old voters it is committed, and what follows names the new ones alone.
    server.receive('B', ack(round, 4))
    expect(server.status.membership).toMatchObject({ votersOutgoing: [], index: 5 })
    server.receive('D', ack(round, 5))
    expect(lease(server)).toMatchObject({ ok: true })
  })

  test('has none where the configuration does not say so', () => {
    const { server, round } = leader({ membership: membershipOf(['A', 'B', 'C']) })
    server.receive('B', ack(round, 2))
    expect(lease(server)).toEqual({ ok: false, why: 'off' })
  })

  test('has none before the first commit of its own term (§8)', () => {
    // The configuration is old: only what this leader itself appended is not committed.
    const server = new OneServer({ membership: leases, snapshot: { index: 1, term: 1 }, log: [1] })
    // A restart may have promised a lease, and waits.
    server.pass(TIMING.electionTimeoutMsMax)
    server.lead()
    server.receive('B', ack(1, 2, 2))
    expect(lease(server)).toEqual({ ok: false, why: 'expired' })
    server.receive('B', ack(1, 3, 2))
    expect(lease(server)).toEqual({ ok: true, index: 3 })
  })

  test('drops it when it hands over, and never takes it up again in that term: TimeoutNow may come late (§3.10)', () => {
    const { server, round } = leader()
    server.receive('B', ack(round, 2))
    expect(lease(server).ok).toBe(true)
    server.step({ type: 'transfer', to: 'C' })
    expect(server.takeSentOf('TimeoutNow', 'C')).toHaveLength(1)
    expect(lease(server)).toEqual({ ok: false, why: 'expired' })
    for (let beats = 0; beats < 8; beats++) server.receive('B', ack(beat(server), 2))
    expect(server.propose('the hand-over was given up').ok).toBe(true)
    expect(lease(server)).toEqual({ ok: false, why: 'expired' })
  })

  test('counts nobody who does not hold the configuration that allows it: after a restart it would not think of it', () => {
    const server = new OneServer()
    server.leadInPeace()
    expect(server.changeMembership({ leases: true })).toEqual({ ok: true })
    const [sent] = server.takeSentOf('AppendEntries', 'B').slice(-1)
    server.receive('B', ack(sent?.round ?? 0, 2))
    expect(lease(server)).toEqual({ ok: false, why: 'expired' })
    server.receive('B', ack(sent?.round ?? 0, 3))
    expect(lease(server)).toEqual({ ok: true, index: 3 })
  })

  test('stops at once when a configuration without it is appended', () => {
    const { server, round } = leader()
    server.receive('B', ack(round, 2))
    server.changeMembership({ leases: false })
    expect(lease(server)).toEqual({ ok: false, why: 'off' })
  })

  test('beats in rounds, and sends no more messages for it than without', () => {
    const counts = [leases, membershipOf(['A', 'B', 'C'])].map((membership) => {
      const server = new OneServer({ membership })
      server.leadInPeace()
      for (let beats = 0; beats < 20; beats++) {
        server.pass(TIMING.heartbeatMs)
        for (const id of ['B', 'C']) server.acknowledge(id)
      }
      return server.takeSentOf('AppendEntries').length
    })
    // One beat may fall into the time at another place.
    expect(Math.abs((counts[0] ?? 0) - (counts[1] ?? 0))).toBeLessThanOrEqual(2)
  })
})

describe('thesis §6.4.1 the others', () => {
  test('give no vote while a lease may hold, though a later term made them forget who leads', () => {
    const server = new OneServer({ membership: leases, id: 'B' })
    server.receive('A', appendEntries({ term: 1 }))
    server.now += 20
    server.receive('C', { type: 'RequestVoteReply', term: 2, preVote: true, voteGranted: false })
    expect(server.status).toMatchObject({ currentTerm: 2, leader: null })
    server.takeSent()
    server.receive('C', requestVote({ term: 3, lastLogTerm: 9, lastLogIndex: 9 }))
    expect(server.takeSentOf('RequestVoteReply')).toMatchObject([{ voteGranted: false, term: 2 }])
    expect(server.refusals().at(-1)).toMatch(/lease/)
    server.now = TIMING.electionTimeoutMsMin
    server.receive('C', requestVote({ term: 3, lastLogTerm: 9, lastLogIndex: 9 }))
    expect(server.takeSentOf('RequestVoteReply')).toMatchObject([{ voteGranted: true, term: 3 }])
  })

  test('after a restart give no vote for the longest election timeout, whoever asks, and do not campaign', () => {
    const server = new OneServer({ membership: leases, id: 'B', term: 1, log: [1] })
    const ask = requestVote({ term: 2, lastLogTerm: 9, lastLogIndex: 9 })
    for (const request of [ask, { ...ask, transfer: true }, { ...ask, preVote: true }])
      server.receive('C', request)
    expect(server.takeSentOf('RequestVoteReply').map(({ voteGranted }) => voteGranted)).toEqual([
      false,
      false,
      false,
    ])
    server.receive('A', { type: 'TimeoutNow', term: 1 })
    expect(server.status).toMatchObject({ role: 'follower', currentTerm: 1 })
    expect(server.deadline).toBeGreaterThanOrEqual(TIMING.electionTimeoutMsMax)
    server.now = TIMING.electionTimeoutMsMax
    server.receive('C', ask)
    expect(server.takeSentOf('RequestVoteReply')).toMatchObject([{ voteGranted: true, term: 2 }])
  })

  test('who starts for the first time has promised nothing', () => {
    const server = new OneServer({ membership: leases, id: 'B' })
    server.receive('C', requestVote({ term: 1 }))
    expect(server.takeSentOf('RequestVoteReply')).toMatchObject([{ voteGranted: true }])
  })

  test('a cluster of one waits like everybody after a restart, and leads then', () => {
    const server = new OneServer({ membership: membershipOf(['A'], { leases: true }), term: 1, log: [1] })
    server.pass(TIMING.electionTimeoutMsMax - 1)
    expect(server.status.role).toBe('follower')
    server.pass(1)
    expect(server.status.role).toBe('leader')
    expect(lease(server)).toMatchObject({ ok: true })
  })
})

/** Changes of membership at one server: §6, thesis chapter 4, and the traps around them. */
import { describe, expect, test } from 'vitest'
import { encodeMembership } from '../../../src/core/membership.ts'
import type { MembershipChange } from '../../../src/core/membership-change.ts'
import { EntryKind, type Entry } from '../../../src/entry.ts'
import { makeEntry } from '../../../src/record.ts'
import type { Membership } from '../../../src/types.ts'
import { OneServer, TIMING, appendEntries, membershipOf, requestVote } from '../support/one-server.ts'

/** A of A, B, C, leading in peace. */
function leader(options: ConstructorParameters<typeof OneServer>[0] = {}): OneServer {
  const server = new OneServer(options)
  server.leadInPeace()
  return server
}

/** Adds D and E and removes C: up to the joint configuration, which is in the log and not committed. */
function inJoint(change: MembershipChange = { add: { D: [], E: [] }, remove: ['C'] }): OneServer {
  const server = leader()
  server.changeMembership(change)
  for (const id of ['B', 'D', 'E']) server.acknowledge(id)
  expect(server.status.membership.votersOutgoing).toEqual(['A', 'B', 'C'])
  return server
}

function configuration(index: number, term: number, membership: Membership): Entry {
  const payload = encodeMembership({ ...membership, index })
  return makeEntry({ group: 0, kind: EntryKind.configuration, index, term, time: 0, payload })
}

const reconfigured = (server: OneServer): (string | null)[] =>
  server.changes.flatMap((change) => (change.type === 'reconfigured' ? [change.failure] : []))

describe('§6 joint consensus', () => {
  test('new voters are learners first, then joint with the old ones, then alone; each step waits for the one before', () => {
    const server = leader()
    server.changeMembership({ add: { D: ['tcp://d'] } })
    expect(server.status.membership).toMatchObject({ voters: ['A', 'B', 'C'], learners: ['D'], index: 3 })
    server.acknowledge('D')
    expect(server.status.membership.voters).toEqual(['A', 'B', 'C'])
    server.acknowledge('B')
    expect(server.status.membership).toMatchObject({
      voters: ['A', 'B', 'C', 'D'],
      votersOutgoing: ['A', 'B', 'C'],
    })
    for (const id of ['B', 'C']) server.acknowledge(id)
    expect(server.status.membership).toMatchObject({ votersOutgoing: [], index: 5 })
    expect(reconfigured(server)).toEqual([])
    for (const id of ['B', 'C']) server.acknowledge(id)
    expect(reconfigured(server)).toEqual([null])
    expect(server.status.membership.addresses['D']).toEqual(['tcp://d'])
  })

  test('while joint, an entry needs a majority of the new voters and one of the old', () => {
    const server = inJoint()
    const { commitIndex } = server.status
    server.acknowledge('D')
    server.acknowledge('E')
    expect(server.status.commitIndex).toBe(commitIndex)
    server.acknowledge('B')
    expect(server.status.commitIndex).toBe(commitIndex + 1)
  })

  test('while joint, an election needs both majorities too', () => {
    const joint = membershipOf(['A', 'D', 'E'], { votersOutgoing: ['A', 'B', 'C'] })
    const candidate = new OneServer({ membership: joint, log: [1] })
    candidate.timeOut()
    for (const id of ['D', 'E'])
      candidate.receive(id, { type: 'RequestVoteReply', term: 2, preVote: true, voteGranted: true })
    expect(candidate.status.currentTerm).toBe(1)
    candidate.receive('B', { type: 'RequestVoteReply', term: 2, preVote: true, voteGranted: true })
    expect(candidate.status.currentTerm).toBe(2)
  })

  test('a new leader that finds a joint configuration leaves it, once an entry of its own term is committed', () => {
    const joint = membershipOf(['A', 'B'], { votersOutgoing: ['A', 'B', 'C'] })
    const server = new OneServer({ log: [1] })
    server.receive(
      'C',
      appendEntries({
        term: 1,
        prevLogIndex: 1,
        prevLogTerm: 1,
        entries: [configuration(2, 1, joint)],
        leaderCommit: 2,
      }),
    )
    expect(server.status.commitIndex).toBe(2)
    server.pass(TIMING.electionTimeoutMsMax)
    for (const preVote of [true, false])
      server.receive('B', { type: 'RequestVoteReply', term: 2, preVote, voteGranted: true })
    expect(server.status).toMatchObject({ role: 'leader', membership: { votersOutgoing: ['A', 'B', 'C'] } })
    server.acknowledge('B')
    expect(server.status.membership).toMatchObject({ voters: ['A', 'B'], votersOutgoing: [], index: 4 })
  })

  test('learners, addresses and leases change without: the voters stay', () => {
    const server = leader()
    server.changeMembership({ addLearners: { D: ['tcp://d'] }, addresses: { B: ['tcp://new'] } })
    expect(server.status.membership).toMatchObject({
      learners: ['D'],
      votersOutgoing: [],
      addresses: { B: ['tcp://new'] },
    })
    server.acknowledge('B')
    expect(reconfigured(server)).toEqual([null])
  })
})

describe('one change at a time', () => {
  test('none before an entry of the leader’s own term is committed (trap 7)', () => {
    const server = new OneServer()
    server.lead()
    expect(server.changeMembership({ remove: ['C'] })).toMatchObject({ ok: false, code: 'busy' })
    server.acknowledge('B')
    expect(server.changeMembership({ remove: ['C'] })).toEqual({ ok: true })
    // Also where the configuration itself is known to be committed: another leader may have left a change that is not.
    const next = new OneServer({ log: [1] })
    const entries = [configuration(2, 1, membershipOf(['A', 'B', 'C']))]
    next.receive('C', appendEntries({ term: 1, prevLogIndex: 1, prevLogTerm: 1, entries, leaderCommit: 2 }))
    next.lead()
    expect(next.status).toMatchObject({ commitIndex: 2, membership: { index: 2 } })
    expect(next.changeMembership({ remove: ['C'] })).toMatchObject({ ok: false, code: 'busy' })
    next.acknowledge('B')
    expect(next.changeMembership({ remove: ['C'] })).toEqual({ ok: true })
  })

  test('none while another is under way, committed or not', () => {
    const server = leader()
    server.changeMembership({ addLearners: { D: [] } })
    expect(server.changeMembership({ remove: ['C'] })).toMatchObject({ ok: false, code: 'busy' })
    expect(inJoint().changeMembership({ remove: ['B'] })).toMatchObject({ ok: false, code: 'busy' })
  })

  test('with an index, only while the configuration stands there', () => {
    const server = leader()
    expect(server.changeMembership({ demote: ['C'] }, 1)).toMatchObject({ ok: false, code: 'conflict' })
    expect(server.changeMembership({ demote: ['C'] }, 2)).toEqual({ ok: true })
  })

  test('what is so already is done at once, without an entry', () => {
    const server = leader()
    const { lastIndex } = server.status
    server.changeMembership({ remove: ['Z'], add: { B: [] } })
    expect(server.status.lastIndex).toBe(lastIndex)
    expect(reconfigured(server)).toEqual([null])
  })

  test('who does not lead takes none', () => {
    expect(new OneServer().changeMembership({ remove: ['C'] })).toMatchObject({
      ok: false,
      code: 'not-leader',
    })
  })
})

describe('thesis §4.2.1 catching up', () => {
  test('a learner is promoted when it stores what the log held an election timeout ago, not before', () => {
    const server = leader()
    server.changeMembership({ add: { D: [] } })
    server.acknowledge('B')
    server.pass(TIMING.electionTimeoutMsMax - 1)
    for (const id of ['B', 'C']) server.acknowledge(id)
    server.pass(100)
    server.propose('x')
    for (const id of ['B', 'C']) server.acknowledge(id)
    // It has the log of 399 ms ago: this round took too long.
    server.acknowledge('D', 3)
    expect(server.status.membership.votersOutgoing).toEqual([])
    server.acknowledge('D')
    expect(server.status.membership.votersOutgoing).toEqual(['A', 'B', 'C'])
  })

  test('one that never gets there is taken out again, and the change has come to nothing', () => {
    const server = leader()
    server.changeMembership({ add: { D: [] } })
    for (let waited = 0; waited < 1100; waited += 50) {
      server.pass(50)
      for (const id of ['B', 'C']) server.acknowledge(id)
    }
    expect(server.status.membership).toMatchObject({ voters: ['A', 'B', 'C'], learners: [] })
    expect(reconfigured(server)).toEqual(['the servers to be added have not caught up in time'])
  })

  test('a learner’s acknowledgement commits nothing', () => {
    const server = leader()
    server.changeMembership({ addLearners: { D: [], E: [] } })
    const { commitIndex } = server.status
    for (const id of ['D', 'E']) server.acknowledge(id)
    expect(server.status.commitIndex).toBe(commitIndex)
  })
})

describe('thesis §4.2.2 a leader that is removed', () => {
  /** Up to the configuration without A, which is in the log and not committed. */
  function leaving(): OneServer {
    const server = leader()
    server.changeMembership({ remove: ['A'] })
    for (const id of ['B', 'C']) server.acknowledge(id)
    expect(server.status.membership).toMatchObject({ voters: ['B', 'C'], votersOutgoing: [] })
    return server
  }

  test('goes on leading until it is committed, and does not count itself', () => {
    const server = leaving()
    const { commitIndex } = server.status
    server.acknowledge('B')
    expect(server.status).toMatchObject({ role: 'leader', commitIndex })
    server.acknowledge('C')
    expect(server.status.commitIndex).toBe(commitIndex + 1)
  })

  test('then hands over at once to one that has everything, and is no leader any more', () => {
    const server = leaving()
    server.takeSent()
    for (const id of ['B', 'C']) server.acknowledge(id)
    expect(server.sent.filter(({ message }) => message.type === 'TimeoutNow')).toHaveLength(1)
    expect(server.status).toMatchObject({ role: 'follower', leader: null })
    server.pass(10 * TIMING.electionTimeoutMsMax)
    expect(server.takeSentOf('RequestVote')).toEqual([])
  })

  test('takes nothing more while it waits for a successor, and no longer than an election timeout', () => {
    const server = leader()
    server.changeMembership({ remove: ['A'] })
    for (const id of ['B', 'C']) server.acknowledge(id)
    server.propose('x')
    const { lastIndex } = server.status
    for (const id of ['B', 'C']) server.acknowledge(id, lastIndex - 1)
    expect(server.status.role).toBe('leader')
    expect(server.propose('late')).toMatchObject({ ok: false, why: 'transferring' })
    server.pass(TIMING.electionTimeoutMsMax)
    expect(server.status.role).toBe('follower')
  })

  test('while it is not known to be committed, a server that it leaves out still campaigns: it may have the only log that can win', () => {
    const server = new OneServer({ log: [1] })
    const without = configuration(2, 1, membershipOf(['B']))
    server.receive('C', appendEntries({ term: 1, prevLogIndex: 1, prevLogTerm: 1, entries: [without] }))
    server.timeOut()
    expect(server.takeSentOf('RequestVote', 'B')).toMatchObject([{ preVote: true }])
    server.receive('C', appendEntries({ term: 1, prevLogIndex: 2, prevLogTerm: 1, leaderCommit: 2 }))
    server.takeSent()
    server.pass(10 * TIMING.electionTimeoutMsMax)
    expect(server.takeSentOf('RequestVote')).toEqual([])
  })
})

describe('removed and added again', () => {
  test('a follower that is removed is told, and then left alone', () => {
    const server = leader()
    server.changeMembership({ remove: ['C'] })
    for (const id of ['B', 'C']) server.acknowledge(id)
    expect(server.takeSentOf('AppendEntries', 'C').flatMap(({ entries }) => entries)).toHaveLength(2)
    for (const id of ['B', 'C']) server.acknowledge(id)
    server.pass(TIMING.heartbeatMs)
    server.takeSent()
    server.pass(TIMING.heartbeatMs)
    expect(server.takeSentOf('AppendEntries', 'C')).toEqual([])
    expect(server.takeSentOf('AppendEntries', 'B')).toEqual([])
    expect(Object.keys(server.status.followers)).toEqual(['B'])
  })

  test('one that is added again soon is another: nothing that its predecessor acknowledged counts', () => {
    const server = leader()
    server.changeMembership({ remove: ['C'] })
    for (const id of ['B', 'C']) server.acknowledge(id)
    server.acknowledge('B')
    expect(server.status.followers['C']?.matchIndex).toBeGreaterThan(0)
    server.changeMembership({ addLearners: { C: [] } })
    expect(server.status.followers['C']).toMatchObject({ matchIndex: 0, state: 'probe' })
  })

  test('a server that was added grants no vote before its log names it: its predecessor may have voted', () => {
    const joins = new OneServer({ id: 'D', bootstrap: null, incarnation: 'd2' })
    joins.receive('B', requestVote({ term: 5, lastLogIndex: 9, lastLogTerm: 4 }))
    expect(joins.takeSentOf('RequestVoteReply')).toMatchObject([{ voteGranted: false }])
    const old = membershipOf(['B', 'C', 'D'], { incarnations: { D: 'd1' } })
    joins.receive('B', appendEntries({ term: 5, entries: [configuration(1, 1, old)] }))
    joins.pass(10 * TIMING.electionTimeoutMsMax)
    expect(joins.takeSentOf('RequestVote')).toEqual([])
    const own = membershipOf(['B', 'C', 'D'], { incarnations: { D: 'd2' } })
    joins.receive(
      'B',
      appendEntries({ term: 5, prevLogIndex: 1, prevLogTerm: 1, entries: [configuration(2, 5, own)] }),
    )
    joins.pass(10 * TIMING.electionTimeoutMsMax)
    expect(joins.takeSentOf('RequestVote', 'B').length).toBeGreaterThan(0)
    joins.receive('C', requestVote({ term: 9, lastLogIndex: 9, lastLogTerm: 8 }))
    expect(joins.takeSentOf('RequestVoteReply', 'C')).toMatchObject([{ voteGranted: true }])
  })

  test('the log says which incarnation of a member is meant, through every step of a change', () => {
    const server = leader()
    server.changeMembership({ add: { D: [] }, incarnations: { D: 'd1' } })
    for (let at = 0; at < 3; at++) for (const id of ['B', 'C', 'D']) server.acknowledge(id)
    expect(server.status.membership.incarnations).toEqual({ D: 'd1' })
    server.changeMembership({ add: { E: [] }, remove: ['D'], incarnations: { E: 'e1', D: 'other' } })
    expect(server.status.membership.incarnations).toEqual({ D: 'd1', E: 'e1' })
    for (let at = 0; at < 3; at++) for (const id of ['B', 'C', 'D', 'E']) server.acknowledge(id)
    expect(server.status.membership).toMatchObject({
      voters: ['A', 'B', 'C', 'E'],
      incarnations: { E: 'e1' },
    })
    expect(server.status.membership.incarnations).not.toHaveProperty('D')
  })
})

test('thesis §3.10 stepping down hands over to whoever has everything, and ends in any case', () => {
  const server = leader()
  server.step({ type: 'stepDown' })
  expect(server.takeSentOf('TimeoutNow')).toHaveLength(1)
  expect(server.status.role).toBe('follower')
  const alone = leader()
  alone.propose('x')
  alone.step({ type: 'stepDown' })
  alone.pass(TIMING.electionTimeoutMsMax)
  expect(alone.status.role).toBe('follower')
})

/** The disk: nothing promised before it is durable (thesis §3.8), and what may overlap with it (§10.2.1, §10.2.2). */
import { describe, expect, test } from 'vitest'
import type { AppendEntriesReply } from '../../../src/core/messages.ts'
import {
  OneServer,
  TIMING,
  appendEntries,
  entriesOf,
  membershipOf,
  requestVote,
} from '../support/one-server.ts'

function heard(round: number, term = 1): AppendEntriesReply {
  return {
    type: 'AppendEntriesReply',
    term,
    success: true,
    prevLogIndex: 0,
    matchIndex: 0,
    conflictIndex: 0,
    conflictTerm: 0,
    round,
  }
}

describe('thesis §3.8 durable before promised', () => {
  test('a vote leaves once it is on disk', () => {
    const server = new OneServer({ slowDisk: true })
    server.receive('B', requestVote({ term: 1 }))
    expect(server.takeSent()).toEqual([])
    server.finishWrite()
    expect(server.takeSentOf('RequestVoteReply', 'B')).toMatchObject([{ voteGranted: true }])
  })

  test('a vote in a term that is on disk already is a write of its own', () => {
    const server = new OneServer({ slowDisk: true, term: 1 })
    server.receive('B', requestVote({ term: 1 }))
    expect(server.takeSent()).toEqual([])
    server.finishWrite()
    expect(server.disk.hardState).toEqual({ currentTerm: 1, votedFor: 'B' })
    expect(server.takeSentOf('RequestVoteReply', 'B')).toMatchObject([{ voteGranted: true }])
  })

  test('a promise of a term that is past by the time it could leave is dropped with what it rested on', () => {
    const server = new OneServer({ slowDisk: true })
    server.receive('B', appendEntries({ term: 1 }))
    server.receive('B', appendEntries({ term: 1, entries: entriesOf([1, 1]) }))
    server.receive('C', appendEntries({ term: 2, entries: entriesOf([2]) }))
    server.finishWrite()
    server.takeSent()
    server.finishWrite()
    expect(server.takeSent()).toMatchObject([{ term: 2, matchIndex: 1 }])
  })

  test('the own vote counts once that very vote is on disk, and not when an earlier one is', () => {
    const server = new OneServer({ membership: membershipOf(['A']), slowDisk: true })
    server.timeOut()
    server.timeOut()
    expect(server.status).toMatchObject({ role: 'candidate', currentTerm: 2 })
    server.finishWrite()
    expect(server.disk.hardState).toEqual({ currentTerm: 1, votedFor: 'A' })
    expect(server.status.role).toBe('candidate')
    server.finishWrite()
    expect(server.status).toMatchObject({ role: 'leader', currentTerm: 2 })
  })

  test('an acknowledgement leaves once its entries are on disk', () => {
    const server = new OneServer({ slowDisk: true, term: 1 })
    server.receive('B', appendEntries({ term: 1, entries: entriesOf([1, 1]) }))
    expect(server.takeSent()).toEqual([])
    server.finishWrite()
    expect(server.takeSentOf('AppendEntriesReply')).toMatchObject([{ success: true, matchIndex: 2 }])
  })

  test('a write holds entries up to its bytes, and an acknowledgement waits for the one that holds its last', () => {
    const server = new OneServer({ slowDisk: true, term: 1, limits: { writeBytesMax: 60 } })
    server.receive('B', appendEntries({ term: 1, entries: entriesOf([1, 1, 1]) }))
    const writes: number[] = []
    while (server.writing !== null) {
      expect(server.takeSent()).toEqual([])
      writes.push(server.writing.write?.entries.length ?? 0)
      server.finishWrite()
    }
    expect(writes.length).toBeGreaterThan(1)
    expect(writes.reduce((sum, count) => sum + count)).toBe(3)
    expect(server.takeSentOf('AppendEntriesReply')).toMatchObject([{ success: true, matchIndex: 3 }])
  })

  test('a promise that rests on the write in flight waits for that one, a later promise for the next', () => {
    const server = new OneServer({ slowDisk: true, term: 1 })
    server.receive('B', appendEntries({ term: 1, entries: entriesOf([1]) }))
    server.receive('B', appendEntries({ term: 1, entries: entriesOf([1]), round: 2 }))
    server.receive(
      'B',
      appendEntries({ term: 1, prevLogIndex: 1, prevLogTerm: 1, entries: entriesOf([1], 2) }),
    )
    expect(server.takeSent()).toEqual([])
    server.finishWrite()
    expect(server.takeSentOf('AppendEntriesReply').map(({ matchIndex }) => matchIndex)).toEqual([1, 1])
    server.finishWrite()
    expect(server.takeSentOf('AppendEntriesReply').map(({ matchIndex }) => matchIndex)).toEqual([2])
  })

  test('a heartbeat is answered at once with what is durable, however slow the disk', () => {
    const server = new OneServer({ slowDisk: true, log: [1] })
    server.receive(
      'B',
      appendEntries({ term: 1, prevLogIndex: 1, prevLogTerm: 1, entries: entriesOf([1], 2) }),
    )
    server.receive('B', appendEntries({ term: 1, prevLogIndex: 2, prevLogTerm: 1, round: 7 }))
    expect(server.takeSentOf('AppendEntriesReply')).toMatchObject([
      { success: true, matchIndex: 1, round: 7 },
    ])
  })

  test('a candidate asks for votes, and counts its own, once its term and vote are on disk', () => {
    const server = new OneServer({ slowDisk: true, membership: membershipOf(['A']) })
    server.pass(0)
    expect(server.status).toMatchObject({ role: 'candidate', currentTerm: 1 })
    server.finishWrite()
    expect(server.status.role).toBe('leader')
    const three = new OneServer({ slowDisk: true })
    three.timeOut()
    three.receive('B', { type: 'RequestVoteReply', term: 1, preVote: true, voteGranted: true })
    expect(three.takeSentOf('RequestVote').filter(({ preVote }) => !preVote)).toEqual([])
    three.finishWrite()
    expect(three.takeSentOf('RequestVote').filter(({ preVote }) => !preVote)).toHaveLength(2)
  })

  test('entries are applied once they are committed and durable here', () => {
    const server = new OneServer({ slowDisk: true, term: 1 })
    server.receive('B', appendEntries({ term: 1, entries: entriesOf([1]), leaderCommit: 1 }))
    expect(server.status.commitIndex).toBe(1)
    expect(server.applied).toEqual([])
    server.finishWrite()
    expect(server.applied).toHaveLength(1)
  })

  test('a cluster of one commits only what is on its disk', () => {
    const server = new OneServer({ membership: membershipOf(['A']) })
    server.pass(0)
    server.slowDisk = true
    server.propose('x')
    expect(server.appliedTexts()).toEqual([])
    server.finishWrite()
    expect(server.appliedTexts()).toEqual(['x'])
  })

  test('a write whose entries were replaced meanwhile does not make the new ones durable', () => {
    const server = new OneServer({ slowDisk: true, term: 1 })
    server.receive('B', appendEntries({ term: 1, entries: entriesOf([1, 1]) }))
    server.receive('C', appendEntries({ term: 2, entries: entriesOf([2, 2]) }))
    server.finishWrite()
    expect(server.status.durableIndex).toBe(0)
    expect(server.takeSentOf('AppendEntriesReply', 'C')).toEqual([])
    server.finishWrite()
    expect(server.status.durableIndex).toBe(2)
    expect(server.takeSentOf('AppendEntriesReply', 'C')).toMatchObject([{ success: true, matchIndex: 2 }])
  })
})

describe('thesis §10.2.1 writing to the leader’s disk in parallel', () => {
  test('entries leave before they are durable on the leader', () => {
    const server = new OneServer()
    server.leadInPeace()
    server.slowDisk = true
    server.propose('x')
    expect(server.takeSentOf('AppendEntries')).toHaveLength(2)
    expect(server.writing).not.toBeNull()
  })

  test('two followers commit without the leader’s disk, which counts from when it is done', () => {
    const server = new OneServer()
    server.leadInPeace()
    server.slowDisk = true
    server.propose('x')
    server.acknowledge('B', 3)
    expect(server.status.commitIndex).toBe(2)
    server.acknowledge('C', 3)
    expect(server.status.commitIndex).toBe(3)
    expect(server.appliedTexts()).toEqual([])
    server.finishWrite()
    expect(server.appliedTexts()).toEqual(['x'])
  })

  test('a leader whose write does not end steps down once the others have stored what it writes, and does not campaign while it hangs', () => {
    const server = new OneServer()
    server.leadInPeace()
    server.slowDisk = true
    server.propose('x')
    const beats = (): void => {
      for (let beat = 0; beat < 7; beat++) {
        server.pass(TIMING.heartbeatMs)
        server.receive('B', heard(1))
      }
    }
    beats()
    // Nobody else has stored it either: their disks are as slow, and an election would help nobody.
    expect(server.status.role).toBe('leader')
    for (const follower of ['B', 'C']) server.acknowledge(follower, 3)
    server.pass(TIMING.heartbeatMs)
    expect(server.status.role).toBe('follower')
    expect(server.changes.findLast((change) => change.type === 'role')?.why).toMatch(
      /its disk did not finish/,
    )
    server.takeSent()
    server.pass(2000)
    expect(server.takeSent()).toEqual([])
    expect(server.refusals().at(-1)).toMatch(/campaign: the disk/)
  })
})

describe('thesis §10.2.2 batching and pipelining', () => {
  test('everything proposed before a look at the work is one message per follower and one write', () => {
    const server = new OneServer()
    server.leadInPeace()
    server.propose('a', 'b', 'c')
    const requests = server.takeSentOf('AppendEntries', 'B')
    expect(requests.map(({ entries }) => entries.length)).toEqual([3])
  })

  test('the next message leaves before the one before is acknowledged', () => {
    const server = new OneServer()
    server.leadInPeace()
    for (const text of ['a', 'b', 'c']) server.propose(text)
    expect(server.takeSentOf('AppendEntries', 'B').map(({ prevLogIndex }) => prevLogIndex)).toEqual([2, 3, 4])
  })

  test.each([
    ['messages', { inflightMessagesMax: 2 }],
    ['bytes', { inflightBytesMax: 80 }],
  ])('a full window of %s holds entries back until an acknowledgement', (_, limits) => {
    const server = new OneServer({ limits })
    server.leadInPeace()
    for (const text of ['a', 'b', 'c', 'd']) server.propose(text)
    expect(server.takeSentOf('AppendEntries', 'B')).toHaveLength(2)
    server.acknowledge('B', 3)
    const next = server.takeSentOf('AppendEntries', 'B').filter(({ entries }) => entries.length > 0)
    expect(next[0]).toMatchObject({ prevLogIndex: 4 })
  })

  test('a message holds entries up to its bytes, and one entry that is larger alone', () => {
    const server = new OneServer({ limits: { appendBytesMax: 100 } })
    server.leadInPeace()
    server.propose('a', 'b', 'x'.repeat(500), 'c')
    const requests = server.takeSentOf('AppendEntries', 'B')
    expect(requests.map(({ entries }) => entries.length)).toEqual([2, 1, 1])
  })

  test('too many bytes uncommitted: busy, until some are committed', () => {
    const server = new OneServer({ limits: { uncommittedBytesMax: 500 } })
    server.leadInPeace()
    expect(server.propose('x'.repeat(500)).ok).toBe(true)
    expect(server.propose('y')).toEqual({ ok: false, why: 'busy', leader: 'A' })
    server.acknowledge('B')
    expect(server.propose('y').ok).toBe(true)
  })

  test.each([
    { limit: 'in bytes', limits: { cacheBytesMax: 0 } },
    { limit: 'in number', limits: { cacheEntriesMax: 0 } },
  ])(
    'entries that left memory, too many $limit, are read back for a follower that is behind',
    ({ limits }) => {
      const server = new OneServer({ limits })
      server.leadInPeace(['B'])
      for (const text of ['a', 'b', 'c']) {
        server.propose(text)
        server.acknowledge('B')
      }
      expect(server.status.memoryBytes).toBe(0)
      server.takeSent()
      server.acknowledge('C', 2)
      const [request] = server.takeSentOf('AppendEntries', 'C')
      expect(request?.entries.map(({ index }) => index)).toEqual([3, 4, 5])
    },
  )

  test('what a follower lacks stays in memory for longer than what all have', () => {
    const server = new OneServer({ limits: { inflightBytesMax: 1 } })
    server.leadInPeace()
    const megabyte = 'x'.repeat(1024 * 1024)
    for (let count = 0; count < 3; count++) {
      server.propose(megabyte)
      server.acknowledge('B')
    }
    expect(server.status.commitIndex).toBe(server.status.lastIndex)
    expect(server.status.memoryBytes).toBeGreaterThan(3 * megabyte.length)
    server.acknowledge('C')
    server.propose('y')
    server.acknowledge('B')
    expect(server.status.memoryBytes).toBeLessThan(megabyte.length)
    expect(server.fetches).toEqual([])
  })

  test('entries read back that the log no longer holds are not sent: they were replaced since', () => {
    const server = new OneServer({ log: [1, 1, 1] })
    server.leadInPeace([])
    server.slowDisk = true
    server.acknowledge('C', 1)
    expect(server.fetches).toMatchObject([{ to: 'C', first: 2 }])
    server.takeSent()
    server.step({ type: 'fetched', to: 'C', entries: entriesOf([7, 7], 2) })
    expect(server.takeSentOf('AppendEntries', 'C')).toEqual([])
    server.step({ type: 'fetched', to: 'C', entries: entriesOf([1, 1], 2) })
    expect(server.takeSentOf('AppendEntries', 'C')).toMatchObject([{ prevLogIndex: 1 }, { prevLogIndex: 3 }])
  })

  test('entries that were compacted away while they were read: a probe, then the snapshot', () => {
    const server = new OneServer({ log: [1, 1, 1] })
    server.leadInPeace()
    server.core.step({ type: 'unreachable', peer: 'C' }, server.now)
    server.slowDisk = true
    server.step({ type: 'compacted', meta: server.core.snapshotMetaAt(3), compactTo: 3 })
    expect(server.status.snapshotIndex).toBe(3)
    server.receive('C', { ...heard(1, 2), success: false, prevLogIndex: 5, conflictIndex: 1 })
    expect(server.status.followers['C']?.state).not.toBe('snapshot')
  })
})

/** Log replication: §5.3, §5.4.2, §5.5 and §8 of the paper. One test per rule. */
import { describe, expect, test } from 'vitest'
import { EntryKind } from '../../../src/entry.ts'
import type { AppendEntries, AppendEntriesReply } from '../../../src/core/messages.ts'
import { OneServer, TIMING, appendEntries, entriesOf, entry, requestVote } from '../support/one-server.ts'

/** What a follower with this log answers to one AppendEntries. */
function answer(log: readonly number[], fields: Parameters<typeof appendEntries>[0]): AppendEntriesReply {
  const server = new OneServer({ log })
  server.receive('B', appendEntries(fields))
  const [reply] = server.takeSentOf('AppendEntriesReply')
  if (reply === undefined) throw new Error('an AppendEntries is answered')
  return reply
}

/** Lets leader and follower talk until neither has anything to say; returns the messages of the leader. */
function converse(leader: OneServer, follower: OneServer): AppendEntries[] {
  const requests: AppendEntries[] = []
  for (let rounds = 0; rounds < 100; rounds++) {
    const mine = leader.takeSentOf('AppendEntries', 'B')
    if (mine.length === 0) return requests
    requests.push(...mine)
    for (const request of mine) follower.receive('A', request)
    for (const reply of follower.takeSentOf('AppendEntriesReply')) leader.receive('B', reply)
  }
  throw new Error('leader and follower do not come to an end')
}

describe('§5.3 log replication, the leader', () => {
  test('appends to its own log, tells all in parallel, and commits once a majority stores the entry', () => {
    const server = new OneServer()
    server.leadInPeace()
    const proposed = server.propose('x')
    expect(proposed).toEqual({ ok: true, index: 3, term: 1 })
    const requests = server.sent.map(({ to, message }) => [to, message.type])
    expect(requests).toEqual([
      ['B', 'AppendEntries'],
      ['C', 'AppendEntries'],
    ])
    expect(server.appliedTexts()).toEqual([])
    server.acknowledge('C', 3)
    expect(server.status.commitIndex).toBe(3)
    expect(server.appliedTexts()).toEqual(['x'])
  })

  test('commits with an entry everything before it', () => {
    const server = new OneServer({ log: [1, 1] })
    server.lead()
    expect(server.status.commitIndex).toBe(0)
    server.acknowledge('B')
    expect(server.status.commitIndex).toBe(4)
    expect(server.applied.map(({ index }) => index)).toEqual([1, 2, 3, 4])
  })

  test('tells followers its commitIndex with the next entries, or soon by itself', () => {
    const server = new OneServer()
    server.leadInPeace()
    server.propose('x')
    server.acknowledge('B', 3)
    server.takeSent()
    server.propose('y')
    expect(server.takeSentOf('AppendEntries', 'C')).toMatchObject([{ leaderCommit: 3 }])
    server.acknowledge('B', 4)
    server.takeSent()
    server.pass(TIMING.heartbeatMs / 5)
    expect(server.takeSentOf('AppendEntries', 'C')).toMatchObject([{ leaderCommit: 4, entries: [] }])
  })

  test('sends a heartbeat when it sent nothing for the interval, and none when it did', () => {
    const server = new OneServer()
    server.leadInPeace()
    server.pass(TIMING.heartbeatMs)
    expect(server.takeSent('B')).toMatchObject([{ type: 'AppendEntries', entries: [] }])
    server.pass(TIMING.heartbeatMs / 2)
    server.propose('x')
    server.takeSent()
    server.pass(TIMING.heartbeatMs - 1)
    expect(server.takeSent('B')).toEqual([])
    server.pass(1)
    expect(server.takeSent('B')).toHaveLength(1)
  })

  test('never removes or replaces an entry of its own log, whatever followers answer (Figure 3)', () => {
    const server = new OneServer({ log: [1, 1] })
    server.leadInPeace()
    server.propose('x')
    const before = server.logTerms
    for (const conflictIndex of [1, 2, 3])
      server.receive('B', {
        type: 'AppendEntriesReply',
        term: 2,
        success: false,
        prevLogIndex: 5,
        matchIndex: 0,
        conflictIndex,
        conflictTerm: 0,
        round: 1,
      })
    expect(server.logTerms).toEqual(before)
    expect(server.changes.some((change) => change.type === 'truncated')).toBe(false)
  })

  test('ignores an acknowledgement of entries that it does not have', () => {
    const server = new OneServer()
    server.leadInPeace()
    server.acknowledge('B', 99)
    expect(server.status.commitIndex).toBe(2)
  })
})

describe('§5.3 log replication, the follower', () => {
  test('accepts entries where the one before is the same, and says up to where it equals the leader', () => {
    const reply = answer([1, 1], { term: 2, prevLogIndex: 2, prevLogTerm: 1, entries: entriesOf([2, 2], 3) })
    expect(reply).toMatchObject({ success: true, matchIndex: 4 })
  })

  test.each<[string, number[], number, number, number, number]>([
    ['its log is shorter: names the index after its last', [1, 1], 5, 2, 3, 0],
    ['its log is empty', [], 5, 2, 1, 0],
    ['another term stands there: names that term and its first index', [1, 2, 2, 2], 4, 3, 2, 2],
    ['another term stands at the first entry', [2], 1, 1, 1, 2],
  ])('refuses when %s', (_, log, prevLogIndex, prevLogTerm, conflictIndex, conflictTerm) => {
    const reply = answer(log, {
      term: 4,
      prevLogIndex,
      prevLogTerm,
      entries: entriesOf([4], prevLogIndex + 1),
    })
    expect(reply).toMatchObject({ success: false, conflictIndex, conflictTerm, prevLogIndex })
  })

  test.each<[string, number[], Parameters<typeof appendEntries>[0], number[]]>([
    [
      'replaces what differs and all after it',
      [1, 1, 1],
      { term: 2, prevLogIndex: 1, prevLogTerm: 1, entries: entriesOf([2], 2) },
      [1, 2],
    ],
    [
      'keeps what a late, shorter message says nothing about',
      [1, 1, 1],
      { term: 1, prevLogIndex: 0, entries: entriesOf([1]) },
      [1, 1, 1],
    ],
    ['keeps everything on a heartbeat', [1, 1, 1], { term: 2, prevLogIndex: 1, prevLogTerm: 1 }, [1, 1, 1]],
    [
      'takes the same entries twice without harm',
      [1, 2],
      { term: 2, prevLogIndex: 0, entries: entriesOf([1, 2]) },
      [1, 2],
    ],
    [
      'appends only what is new',
      [1, 2],
      { term: 2, prevLogIndex: 1, prevLogTerm: 1, entries: entriesOf([2, 2], 2) },
      [1, 2, 2],
    ],
  ])('%s', (_, log, fields, after) => {
    const server = new OneServer({ log })
    server.receive('B', appendEntries(fields))
    expect(server.logTerms).toEqual(after)
  })

  test('tells observers from where on entries were replaced', () => {
    const server = new OneServer({ log: [1, 1, 1] })
    server.receive(
      'B',
      appendEntries({ term: 2, prevLogIndex: 1, prevLogTerm: 1, entries: entriesOf([2], 2) }),
    )
    expect(server.changes).toContainEqual({ type: 'truncated', from: 2, why: 'B leads with other entries' })
  })

  test('commits up to the leader’s commitIndex, but not past the last entry that the message vouches for', () => {
    const server = new OneServer({ log: [1, 1, 1] })
    server.receive('B', appendEntries({ term: 2, prevLogIndex: 1, prevLogTerm: 1, leaderCommit: 3 }))
    expect(server.status.commitIndex).toBe(1)
    server.receive(
      'B',
      appendEntries({
        term: 2,
        prevLogIndex: 2,
        prevLogTerm: 1,
        leaderCommit: 2,
        entries: entriesOf([1], 3),
      }),
    )
    expect(server.status.commitIndex).toBe(2)
  })

  test('applies committed entries in order, each once', () => {
    const server = new OneServer()
    const entries = entriesOf([1, 1, 1])
    for (const leaderCommit of [1, 3, 3, 2])
      server.receive('B', appendEntries({ term: 1, entries, leaderCommit }))
    expect(server.applied.map(({ index }) => index)).toEqual([1, 2, 3])
  })

  test('answers a message about entries before its snapshot with what it has committed', () => {
    const server = new OneServer({ snapshot: { index: 5, term: 2 }, log: [2, 2] })
    server.receive(
      'B',
      appendEntries({ term: 3, prevLogIndex: 1, prevLogTerm: 1, entries: entriesOf([1, 2, 2], 2) }),
    )
    expect(server.takeSentOf('AppendEntriesReply')).toMatchObject([{ success: true, matchIndex: 5 }])
    expect(server.logTerms).toEqual([2, 2])
  })
})

describe('§5.3, Figure 7: a new leader and every kind of log that it may find', () => {
  const leaderLog = [1, 1, 1, 4, 4, 5, 5, 6, 6, 6]
  test.each([
    ['a: entries missing', [1, 1, 1, 4, 4, 5, 5, 6, 6]],
    ['b: more missing', [1, 1, 1, 4]],
    ['c: an uncommitted entry too many', [1, 1, 1, 4, 4, 5, 5, 6, 6, 6, 6]],
    ['d: entries of a term too many', [1, 1, 1, 4, 4, 5, 5, 6, 6, 6, 7, 7]],
    ['e: some missing, some too many', [1, 1, 1, 4, 4, 4, 4]],
    ['f: whole terms too many', [1, 1, 1, 2, 2, 2, 3, 3, 3, 3, 3]],
    ['the empty log', []],
  ])('%s', (_, log) => {
    const leader = new OneServer({ log: leaderLog, term: 7 })
    const follower = new OneServer({ log, term: 7 })
    leader.lead()
    const requests = converse(leader, follower)
    expect(follower.logTerms).toEqual(leader.logTerms)
    expect(leader.logTerms.slice(0, 10)).toEqual(leaderLog)
    expect(leader.status.followers['B']).toMatchObject({ state: 'replicate', matchIndex: 12 })
    // Fast backtracking: a question per differing term at most, not one per entry.
    expect(requests.length).toBeLessThanOrEqual(5)
  })

  test('a hundred differing entries of three terms cost a handful of messages', () => {
    const leader = new OneServer({ log: [1, ...Array<number>(99).fill(6)], term: 7 })
    const follower = new OneServer({
      log: [1, ...Array<number>(30).fill(2), ...Array<number>(30).fill(3), ...Array<number>(39).fill(4)],
      term: 7,
    })
    leader.lead()
    expect(converse(leader, follower).length).toBeLessThanOrEqual(6)
    expect(follower.logTerms).toEqual(leader.logTerms)
  })
})

describe('§5.4.2 committing entries from earlier terms', () => {
  test('Figure 8: an entry of an earlier term on a majority is not committed by counting', () => {
    const server = new OneServer({ log: [1, 2], term: 3 })
    server.lead()
    server.acknowledge('B', 2)
    server.acknowledge('C', 2)
    expect(server.status.commitIndex).toBe(0)
    server.acknowledge('B', 3)
    expect(server.status.commitIndex).toBe(3)
  })
})

describe('§5.5 crashes and lost messages', () => {
  test('a leader goes on asking a follower that does not answer', () => {
    const server = new OneServer()
    server.lead()
    server.takeSent()
    for (let beat = 0; beat < 10; beat++) {
      server.pass(TIMING.heartbeatMs)
      server.acknowledge('C')
      expect(server.takeSentOf('AppendEntries', 'B').length).toBeGreaterThan(0)
    }
  })

  test('a lost message is noticed with the next heartbeat and its entries are sent again', () => {
    const leader = new OneServer()
    const follower = new OneServer()
    leader.lead()
    converse(leader, follower)
    leader.propose('lost')
    leader.takeSent()
    leader.pass(TIMING.heartbeatMs)
    converse(leader, follower)
    expect(follower.logTerms).toEqual([1, 1, 1])
  })

  test('a restarted follower has its log and term, and learns anew what is committed', () => {
    const server = new OneServer()
    server.receive('B', appendEntries({ term: 3, entries: entriesOf([1, 3]), leaderCommit: 2 }))
    server.restart()
    expect(server.status).toMatchObject({ currentTerm: 3, lastIndex: 2, commitIndex: 0, durableIndex: 2 })
    server.applied.length = 0
    server.receive('B', appendEntries({ term: 3, prevLogIndex: 2, prevLogTerm: 3, leaderCommit: 2 }))
    expect(server.applied.map(({ index }) => index)).toEqual([1, 2])
  })
})

describe('§8 client interaction', () => {
  test('a leader begins its term with a no-op, which commits what earlier terms left', () => {
    const server = new OneServer({ log: [1] })
    server.lead()
    const [request] = server.takeSentOf('AppendEntries', 'B')
    expect(request?.entries.map(({ kind }) => kind)).toContain(EntryKind.noop)
    expect(request?.entries[0]).toMatchObject({ index: 2, term: 2 })
    server.acknowledge('B')
    expect(server.applied[0]).toMatchObject({ index: 1, term: 1 })
  })

  test('who does not lead appends nothing and names the leader', () => {
    const server = new OneServer()
    expect(server.propose('x')).toEqual({ ok: false, why: 'not-leader', leader: null })
    server.receive('C', appendEntries({ term: 1 }))
    expect(server.propose('x')).toEqual({ ok: false, why: 'not-leader', leader: 'C' })
    expect(server.status.lastIndex).toBe(0)
  })
})

describe('§6 configurations in the log', () => {
  test('the first leader writes the bootstrap configuration into the log; later ones find it there', () => {
    const server = new OneServer()
    server.leadInPeace()
    expect(server.disk.entries.map(({ kind }) => kind)).toEqual([EntryKind.noop, EntryKind.configuration])
    server.restart()
    server.leadInPeace()
    expect(server.disk.entries.map(({ kind }) => kind)).toEqual([
      EntryKind.noop,
      EntryKind.configuration,
      EntryKind.noop,
    ])
  })

  test('a configuration is used as soon as it is in the log, and no longer once it is replaced', () => {
    const server = new OneServer()
    const other = new OneServer({ membership: { ...server.membership, voters: ['A', 'B', 'D'] } })
    other.lead()
    const configuration = other.disk.entries[1]
    if (configuration === undefined) throw new Error('the bootstrap configuration is the second entry')
    server.receive('B', appendEntries({ term: 1, entries: [entry(1, 1, EntryKind.noop), configuration] }))
    expect(server.status.membership.voters).toEqual(['A', 'B', 'D'])
    server.receive('C', appendEntries({ term: 2, prevLogIndex: 1, prevLogTerm: 1, entries: [entry(2, 2)] }))
    expect(server.status.membership.voters).toEqual(['A', 'B', 'C'])
    expect(server.changes.filter((change) => change.type === 'membership').map(({ index }) => index)).toEqual(
      [2, 0],
    )
  })
})

test('§5.2 votes and §5.3 entries of one turn are one write', () => {
  const server = new OneServer({ slowDisk: true })
  server.receive('B', requestVote({ term: 1 }))
  server.receive('B', appendEntries({ term: 1, entries: entriesOf([1]) }))
  server.finishWrite()
  expect(server.disk.hardState).toEqual({ currentTerm: 1, votedFor: 'B' })
  server.finishWrite()
  expect(server.disk.lastIndex).toBe(1)
})

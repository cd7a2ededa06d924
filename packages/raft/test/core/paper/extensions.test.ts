/** What production needs besides: reads (thesis §6.4), hand-over (§3.10), log time. */
import { describe, expect, test } from 'vitest'
import type { AppendEntriesReply } from '../../../src/core/messages.ts'
import { OneServer, TIMING, appendEntries, membershipOf } from '../support/one-server.ts'

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

describe('thesis §6.4 linearizable reads', () => {
  test('are answered once a majority has answered a round that began afterwards', () => {
    const server = new OneServer()
    server.leadInPeace()
    const id = server.read()
    const [{ round } = { round: 0 }] = server.takeSentOf('AppendEntries', 'B')
    server.receive('B', heard(round - 1))
    expect(server.reads).toEqual([])
    server.receive('B', heard(round))
    expect(server.reads).toEqual([{ id, index: 2 }])
  })

  test('an answer to an older round never confirms a newer read', () => {
    const server = new OneServer()
    server.leadInPeace()
    const first = server.read()
    const [{ round } = { round: 0 }] = server.takeSentOf('AppendEntries', 'B')
    const second = server.read()
    server.receive('B', heard(round))
    expect(server.reads.map(({ id }) => id)).toEqual([first])
    server.receive('C', heard(round + 1))
    expect(server.reads.map(({ id }) => id)).toEqual([first, second])
  })

  test('wait for the first commit of the leader’s own term (§8)', () => {
    const server = new OneServer({ log: [1] })
    server.lead()
    const id = server.read()
    server.receive('B', heard(99, 2))
    expect(server.reads).toEqual([])
    server.acknowledge('B')
    server.takeSent()
    server.receive('B', heard(2, 2))
    expect(server.reads).toEqual([{ id, index: 3 }])
  })

  test('that come together share one round', () => {
    const server = new OneServer()
    server.leadInPeace()
    for (let count = 0; count < 10; count++) server.core.readIndex(server.now)
    server.work()
    expect(server.takeSentOf('AppendEntries', 'B')).toHaveLength(1)
    server.receive('B', heard(2))
    expect(server.reads).toHaveLength(10)
  })

  test('are not answered by who does not lead, or no longer does', () => {
    const server = new OneServer()
    const early = server.read()
    expect(server.reads).toEqual([{ id: early, index: null }])
    server.leadInPeace()
    const late = server.read()
    server.receive('C', appendEntries({ term: 2 }))
    expect(server.reads.at(-1)).toEqual({ id: late, index: null })
  })

  test('need nobody else in a cluster of one', () => {
    const server = new OneServer({ membership: membershipOf(['A']) })
    server.pass(0)
    const id = server.read()
    expect(server.reads).toEqual([{ id, index: 2 }])
  })
})

describe('thesis §3.10 leadership transfer', () => {
  test('a successor that has the whole log is told to campaign at once', () => {
    const server = new OneServer()
    server.leadInPeace()
    server.step({ type: 'transfer', to: 'B' })
    expect(server.takeSent('B')).toContainEqual({ type: 'TimeoutNow', term: 1 })
  })

  test('one that is behind is caught up first; meanwhile proposals are refused', () => {
    const server = new OneServer()
    server.leadInPeace()
    server.propose('x')
    server.step({ type: 'transfer', to: 'B' })
    expect(server.takeSentOf('TimeoutNow')).toEqual([])
    expect(server.propose('y')).toEqual({ ok: false, why: 'transferring', leader: 'A' })
    server.acknowledge('B')
    expect(server.takeSentOf('TimeoutNow', 'B')).toHaveLength(1)
  })

  test('is given up after an election timeout, and says so', () => {
    const server = new OneServer()
    server.leadInPeace()
    server.step({ type: 'transfer', to: 'B' })
    for (let beat = 0; beat < 7; beat++) {
      server.pass(TIMING.heartbeatMs)
      server.receive('C', heard(1))
    }
    expect(server.propose('y').ok).toBe(true)
    expect(server.refusals().at(-1)).toMatch(/transfer: it did not take over/)
  })

  test.each([
    ['itself', 'A', /it leads already/],
    ['a stranger', 'X', /it has no vote/],
  ])('is refused to %s', (_, to, why) => {
    const server = new OneServer()
    server.leadInPeace()
    server.step({ type: 'transfer', to })
    expect(server.refusals().at(-1)).toMatch(why)
    expect(server.propose('y').ok).toBe(true)
  })

  test('is refused to one that was silent for an election timeout: nothing stops for it', () => {
    const server = new OneServer()
    server.leadInPeace()
    for (let beat = 0; beat < 7; beat++) {
      server.pass(TIMING.heartbeatMs)
      server.receive('C', heard(1))
    }
    server.step({ type: 'transfer', to: 'B' })
    expect(server.refusals().at(-1)).toMatch(/nothing was heard of B/)
    expect(server.propose('y').ok).toBe(true)
    server.step({ type: 'transfer', to: 'C' })
    expect(server.propose('z')).toMatchObject({ why: 'transferring' })
  })

  test('the successor raises the term without pre-votes and says that it was asked to', () => {
    const server = new OneServer({ log: [1] })
    server.receive('B', appendEntries({ term: 1, prevLogIndex: 1, prevLogTerm: 1 }))
    server.takeSent()
    server.receive('B', { type: 'TimeoutNow', term: 1 })
    expect(server.takeSentOf('RequestVote', 'C')).toMatchObject([{ term: 2, preVote: false, transfer: true }])
  })
})

describe('log time', () => {
  test('never goes back, and runs at most twice as fast as the monotonic clock within a leadership', () => {
    const server = new OneServer()
    server.leadInPeace()
    const stamps = [1_000_000, 999_000, 1_000_010, 9_000_000, 9_000_100].map((wallTime) => {
      server.now += 100
      server.core.propose(new Uint8Array(), 1, wallTime, server.now)
      server.work()
      return server.disk.entries.at(-1)?.time
    })
    expect(stamps).toEqual([1_000_000, 1_000_000, 1_000_010, 1_000_210, 1_000_410])
  })
})

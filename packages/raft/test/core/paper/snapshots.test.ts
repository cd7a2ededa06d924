/** Log compaction: §7 of the paper. One test per rule. */
import { describe, expect, test } from 'vitest'
import { encodeMembership } from '../../../src/core/membership.ts'
import type { InstallSnapshot, InstallSnapshotReply } from '../../../src/core/messages.ts'
import { OneServer, TIMING, appendEntries, entriesOf, membershipOf } from '../support/one-server.ts'

const membership = encodeMembership(membershipOf(['A', 'B', 'C']))

/** Chunk of a snapshot of 10 bytes up to entry 5 of term 2. */
function chunk(fields: Partial<InstallSnapshot> = {}): InstallSnapshot {
  return {
    type: 'InstallSnapshot',
    term: 3,
    snapshot: { index: 5, term: 2, membership },
    size: 10,
    crc: 77,
    offset: 0,
    data: new Uint8Array(4),
    done: false,
    round: 1,
    ...fields,
  }
}
const lastChunk = chunk({ offset: 4, data: new Uint8Array(6), done: true })

function written(server: OneServer, offset: number, done = false, ok = true): void {
  server.step({ type: 'snapshotWritten', index: 5, offset, done, ok })
}

function reply(fields: Partial<InstallSnapshotReply> = {}): InstallSnapshotReply {
  return { type: 'InstallSnapshotReply', term: 3, index: 5, offset: 0, installed: false, round: 1, ...fields }
}

/** A follower that has received the whole snapshot. */
function installed(log: readonly number[]): OneServer {
  const server = new OneServer({ log, term: 3 })
  server.receive('B', chunk())
  written(server, 0)
  server.receive('B', lastChunk)
  Object.assign(server.disk, { firstIndex: 6, entries: server.disk.entries.slice(5) })
  written(server, 4, true)
  return server
}

describe('§7 the follower', () => {
  test('writes chunks aside in order, answers each with where the next begins, and the last with “installed”', () => {
    const server = new OneServer({ term: 3 })
    server.receive('B', chunk())
    expect(server.takeSent()).toEqual([])
    written(server, 0)
    expect(server.takeSent()).toMatchObject([{ type: 'InstallSnapshotReply', offset: 4, installed: false }])
    server.receive('B', lastChunk)
    expect(server.snapshotWrites.map(({ offset, done }) => [offset, done])).toEqual([
      [0, false],
      [4, true],
    ])
    expect(server.status.snapshotIndex).toBe(0)
    written(server, 4, true)
    expect(server.takeSent()).toMatchObject([{ type: 'InstallSnapshotReply', installed: true, index: 5 }])
    expect(server.status).toMatchObject({ snapshotIndex: 5, commitIndex: 5, durableIndex: 5, lastIndex: 5 })
  })

  test('discards a log that does not hold the snapshot’s last entry', () => {
    expect(installed([1, 1, 1, 1, 1, 1, 1]).status).toMatchObject({ lastIndex: 5, commitIndex: 5 })
  })

  test('keeps what follows the snapshot’s last entry when the log holds that', () => {
    expect(installed([1, 1, 1, 2, 2, 2, 2]).status).toMatchObject({
      lastIndex: 7,
      commitIndex: 5,
      durableIndex: 7,
    })
  })

  test('goes on after the snapshot with the entries that follow it', () => {
    const server = installed([])
    server.receive(
      'B',
      appendEntries({
        term: 3,
        prevLogIndex: 5,
        prevLogTerm: 2,
        entries: entriesOf([3], 6),
        leaderCommit: 6,
      }),
    )
    expect(server.applied.map(({ index }) => index)).toEqual([6])
  })

  test('takes the snapshot’s configuration for its own', () => {
    const server = new OneServer({ term: 3 })
    const other = encodeMembership(membershipOf(['B', 'C', 'D'], { learners: ['A'] }))
    server.receive('B', chunk({ snapshot: { index: 5, term: 2, membership: other }, size: 4, done: true }))
    written(server, 0, true)
    expect(server.status.membership).toMatchObject({ voters: ['B', 'C', 'D'], learners: ['A'] })
    expect(server.deadline).toBe(Infinity)
  })

  test('a snapshot that it is past is acknowledged and changes nothing', () => {
    const server = new OneServer({ log: [2, 2, 2, 2, 2, 2], term: 3 })
    server.receive('B', appendEntries({ term: 3, prevLogIndex: 6, prevLogTerm: 2, leaderCommit: 6 }))
    server.takeSent()
    server.receive('B', chunk())
    expect(server.takeSent()).toMatchObject([{ type: 'InstallSnapshotReply', installed: true }])
    expect(server.snapshotWrites).toEqual([])
    expect(server.status).toMatchObject({ snapshotIndex: 0, lastIndex: 6, commitIndex: 6 })
  })

  test('a chunk that comes twice or too late is answered with where it is', () => {
    const server = new OneServer({ term: 3 })
    server.receive('B', chunk())
    written(server, 0)
    server.takeSent()
    server.receive('B', chunk())
    server.receive('B', chunk({ offset: 8, data: new Uint8Array(1) }))
    expect(server.takeSent()).toMatchObject([{ offset: 4 }, { offset: 4 }])
    expect(server.snapshotWrites).toHaveLength(1)
  })

  test('another leader with the same snapshot goes on where the old one stopped; with another, from the start', () => {
    const server = new OneServer({ term: 3 })
    server.receive('B', chunk())
    written(server, 0)
    server.takeSent()
    server.receive('C', chunk({ term: 4 }))
    expect(server.takeSent('C')).toMatchObject([{ offset: 4 }])
    server.receive('C', chunk({ term: 4, crc: 78, offset: 4 }))
    expect(server.takeSent('C')).toMatchObject([{ offset: 0 }])
  })

  test('a snapshot that arrived damaged is asked for again from the start', () => {
    const server = new OneServer({ term: 3 })
    server.receive('B', chunk())
    written(server, 0)
    server.receive('B', lastChunk)
    server.takeSent()
    written(server, 4, true, false)
    expect(server.takeSent()).toMatchObject([{ offset: 0, installed: false }])
    expect(server.status.snapshotIndex).toBe(0)
  })

  test('the last chunk waits for entries that are being written, and while it is installed entries wait for it', () => {
    const server = new OneServer({ term: 3, slowDisk: true })
    server.receive('B', appendEntries({ term: 3, entries: entriesOf([1]) }))
    server.receive('B', chunk({ size: 4, done: true }))
    expect(server.snapshotWrites).toEqual([])
    server.finishWrite()
    expect(server.snapshotWrites).toHaveLength(1)
    server.takeSent()
    server.receive(
      'B',
      appendEntries({ term: 3, prevLogIndex: 1, prevLogTerm: 1, entries: entriesOf([3], 2) }),
    )
    expect(server.takeSent()).toMatchObject([{ success: true, matchIndex: 0 }])
    expect(server.status.lastIndex).toBe(1)
    server.pass(5000)
    expect(server.status.role).toBe('follower')
    expect(server.refusals().at(-1)).toMatch('campaign: a snapshot is being installed')
  })
})

describe('§7 the leader', () => {
  /** Leads in term 3 with a snapshot up to 5 and no older entries; C is far behind. */
  function leader(): OneServer {
    const server = new OneServer({ snapshot: { index: 5, term: 2 }, log: [2] })
    server.leadInPeace(['B'])
    server.receive('C', {
      type: 'AppendEntriesReply',
      term: 3,
      success: false,
      prevLogIndex: 6,
      matchIndex: 0,
      conflictIndex: 2,
      conflictTerm: 0,
      round: 1,
    })
    return server
  }
  const data = new Uint8Array(4)
  const meta = { index: 5, term: 2, membership }

  test('sends its snapshot when the entries that a follower needs are gone', () => {
    const server = leader()
    expect(server.status.followers['C']?.state).toBe('snapshot')
    expect(server.snapshotReads).toMatchObject([{ to: 'C', index: 5, offset: 0 }])
    server.takeSent()
    server.step({
      type: 'snapshotRead',
      to: 'C',
      chunk: { meta, size: 10, crc: 77, offset: 0, data, done: false },
    })
    expect(server.takeSent('C')).toEqual([chunk()])
  })

  test('sends the next chunk where the follower says, and entries once it has installed it', () => {
    const server = leader()
    server.step({
      type: 'snapshotRead',
      to: 'C',
      chunk: { meta, size: 10, crc: 77, offset: 0, data, done: false },
    })
    server.receive('C', reply({ offset: 4 }))
    expect(server.snapshotReads.at(-1)).toMatchObject({ offset: 4 })
    server.step({
      type: 'snapshotRead',
      to: 'C',
      chunk: { meta, size: 10, crc: 77, offset: 4, data, done: false },
    })
    server.receive('C', reply({ installed: true, offset: 10 }))
    expect(server.status.followers['C']).toMatchObject({ matchIndex: 5, nextIndex: 6, state: 'probe' })
    server.takeSent()
    server.receive('C', {
      ...reply(),
      type: 'AppendEntriesReply',
      success: true,
      prevLogIndex: 5,
      matchIndex: 5,
      conflictIndex: 0,
      conflictTerm: 0,
    })
    const entries = server.takeSentOf('AppendEntries', 'C').flatMap((request) => request.entries)
    expect(entries.map(({ index }) => index)).toEqual([6, 7])
  })

  test('reads the chunk again when its answer does not come, and keeps asking with heartbeats', () => {
    const server = leader()
    server.step({
      type: 'snapshotRead',
      to: 'C',
      chunk: { meta, size: 10, crc: 77, offset: 0, data, done: false },
    })
    server.takeSent()
    const reads = server.snapshotReads.length
    for (let beat = 0; beat < 7; beat++) {
      server.pass(TIMING.heartbeatMs)
      server.acknowledge('B')
    }
    expect(server.takeSentOf('AppendEntries', 'C').length).toBeGreaterThan(3)
    expect(server.snapshotReads.length).toBe(reads + 1)
    expect(server.snapshotReads.at(-1)).toMatchObject({ offset: 0 })
  })

  test('an answer that comes twice does not start a second stream of chunks', () => {
    const server = leader()
    server.step({
      type: 'snapshotRead',
      to: 'C',
      chunk: { meta, size: 10, crc: 77, offset: 0, data, done: false },
    })
    server.receive('C', reply({ offset: 4 }))
    server.step({
      type: 'snapshotRead',
      to: 'C',
      chunk: { meta, size: 10, crc: 77, offset: 4, data, done: false },
    })
    const reads = server.snapshotReads.length
    server.receive('C', reply({ offset: 4 }))
    expect(server.snapshotReads.length).toBe(reads)
  })

  test('leaves the snapshot when the follower turns out to have what is needed', () => {
    const server = leader()
    server.acknowledge('C', 6)
    expect(server.status.followers['C']).toMatchObject({ matchIndex: 6, state: 'probe' })
  })

  test('begins with the newest snapshot when the one that it was sending is gone', () => {
    const server = leader()
    server.step({
      type: 'snapshotRead',
      to: 'C',
      chunk: { meta, size: 10, crc: 77, offset: 0, data, done: false },
    })
    server.receive('C', reply({ offset: 4 }))
    const newer = { ...meta, index: 6 }
    server.step({
      type: 'snapshotRead',
      to: 'C',
      chunk: { meta: newer, size: 9, crc: 5, offset: 0, data, done: false },
    })
    server.receive('C', reply({ index: 6, offset: 4 }))
    expect(server.snapshotReads.at(-1)).toMatchObject({ index: 6, offset: 4 })
  })
})

describe('§7 compaction', () => {
  test('what was applied may be forgotten; the term before the first entry stays known', () => {
    const server = new OneServer({ log: [1, 1, 1] })
    server.leadInPeace()
    const meta = server.core.snapshotMetaAt(4)
    expect(meta).toMatchObject({ index: 4, term: 2 })
    server.step({ type: 'compacted', meta, compactTo: 2 })
    expect(server.status.snapshotIndex).toBe(4)
    server.propose('x')
    expect(server.takeSentOf('AppendEntries', 'B')).toMatchObject([{ prevLogIndex: 5, prevLogTerm: 2 }])
  })

  test('a follower that needs the first entry kept still gets entries, one that needs an earlier one the snapshot', () => {
    const server = new OneServer({ log: [1, 1, 1] })
    server.leadInPeace([])
    server.acknowledge('B')
    server.takeSent()
    server.step({ type: 'compacted', meta: server.core.snapshotMetaAt(3), compactTo: 2 })
    server.acknowledge('C', 2)
    expect(server.takeSentOf('AppendEntries', 'C')[0]).toMatchObject({ prevLogIndex: 2, prevLogTerm: 1 })
    server.step({ type: 'unreachable', peer: 'C' })
    server.step({ type: 'compacted', meta: server.core.snapshotMetaAt(4), compactTo: 4 })
    expect(server.status.followers['C']?.state).toBe('snapshot')
  })

  test('a restart begins with the snapshot: applied and committed up to it', () => {
    const server = new OneServer({ snapshot: { index: 5, term: 2 }, log: [2, 2] })
    expect(server.status).toMatchObject({ commitIndex: 5, snapshotIndex: 5, lastIndex: 7 })
    expect(server.applied).toEqual([])
  })
})

import { ProtocolError } from '@lab/rpc'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { encodeMembership } from '../../src/core/membership.ts'
import type { Message } from '../../src/core/messages.ts'
import { EntryKind, payloadOf, recordBytes, type Entry } from '../../src/entry.ts'
import { RecordWriter, makeEntry, type RecordFields } from '../../src/record.ts'
import { decodeMessage, encodeMessage } from '../../src/wire.ts'

const number = fc.oneof(fc.nat(300), fc.maxSafeNat())
const bytes = fc.uint8Array({ maxLength: 200 })
const membership = encodeMembership({
  voters: ['n1', 'n2', 'n3'],
  votersOutgoing: ['n1'],
  learners: ['n4'],
  addresses: { n1: ['tcp://h:1'] },
  index: 0,
  incarnations: {},
  leases: false,
})

/** Entries as a leader of `term` would send them after prevLogIndex. */
const appends: fc.Arbitrary<Message> = fc
  .record({
    prevLogIndex: fc.nat(2 ** 40),
    prevLogTerm: fc.nat(50),
    rises: fc.array(
      fc.record({
        by: fc.nat(3),
        payload: bytes,
        kind: fc.constantFrom(EntryKind.command, EntryKind.noop, EntryKind.configuration),
      }),
      {
        maxLength: 12,
      },
    ),
    leaderCommit: number,
    round: number,
    slabBytes: fc.integer({ min: 1, max: 400 }),
  })
  .map(({ prevLogIndex, prevLogTerm, rises, leaderCommit, round, slabBytes }) => {
    const writer = new RecordWriter(slabBytes)
    let term = prevLogTerm
    const entries = rises.map(({ by, payload, kind }, at) => {
      term += by
      const index = prevLogIndex + 1 + at
      return writer.append({
        group: 0,
        kind,
        index,
        term,
        time: at,
        payload: kind === EntryKind.configuration ? membership : payload,
      })
    })
    return { type: 'AppendEntries', term, prevLogIndex, prevLogTerm, entries, leaderCommit, round }
  })

const installs: fc.Arbitrary<Message> = fc
  .record({
    term: number,
    index: fc.integer({ min: 1, max: 2 ** 50 }),
    crc: fc.integer({ min: 0, max: 2 ** 32 - 1 }),
    offset: fc.nat(2 ** 40),
    data: bytes,
    rest: fc.nat(100),
    round: number,
  })
  .map(({ term, index, crc, offset, data, rest, round }) => ({
    type: 'InstallSnapshot',
    term,
    snapshot: { index, term, membership },
    size: offset + data.length + rest,
    crc,
    offset,
    data,
    done: rest === 0,
    round,
  }))

const anyMessage: fc.Arbitrary<Message> = fc.oneof(
  fc.record({
    type: fc.constant('RequestVote' as const),
    term: number,
    preVote: fc.boolean(),
    lastLogIndex: number,
    lastLogTerm: number,
    transfer: fc.boolean(),
  }),
  fc.record({
    type: fc.constant('RequestVoteReply' as const),
    term: number,
    preVote: fc.boolean(),
    voteGranted: fc.boolean(),
  }),
  appends,
  fc.record({
    type: fc.constant('AppendEntriesReply' as const),
    term: number,
    success: fc.boolean(),
    prevLogIndex: number,
    matchIndex: number,
    conflictIndex: number,
    conflictTerm: number,
    round: number,
  }),
  installs,
  fc.record({
    type: fc.constant('InstallSnapshotReply' as const),
    term: number,
    index: number,
    offset: number,
    installed: fc.boolean(),
    round: number,
  }),
  fc.record({ type: fc.constant('TimeoutNow' as const), term: number }),
)

/** The message with entries as what they say, not where they stand. */
function meaning(message: Message): unknown {
  if (message.type !== 'AppendEntries') return message
  return { ...message, entries: message.entries.map(saying) }
}
function saying({ index, term, kind, time, slab, start, end }: Entry): unknown {
  return { index, term, kind, time, record: slab.slice(start, end) }
}

test('every message comes back as it was', () => {
  fc.assert(
    fc.property(anyMessage, (message) => {
      expect(meaning(decodeMessage(encodeMessage(message)))).toEqual(meaning(message))
    }),
    { numRuns: 500 },
  )
})

test('what was decoded does not change with the larger buffer that it came in', () => {
  fc.assert(
    fc.property(anyMessage, (message) => {
      const bytes = encodeMessage(message)
      const buffer = new Uint8Array(2 * bytes.length)
      buffer.set(bytes)
      const decoded = decodeMessage(buffer.subarray(0, bytes.length))
      buffer.fill(0xff)
      expect(meaning(decoded)).toEqual(meaning(message))
    }),
  )
})

test('entries that are most of the buffer that they came in stay where they are, and it is no more than twice as large', () => {
  const entry = makeEntry({
    group: 0,
    kind: EntryKind.command,
    index: 1,
    term: 1,
    time: 0,
    payload: new Uint8Array(1000),
  })
  const append = { type: 'AppendEntries', term: 1, prevLogIndex: 0, prevLogTerm: 0 } as const
  const bytes = encodeMessage({ ...append, entries: [entry], leaderCommit: 0, round: 0 })
  const slabIn = (length: number): ArrayBufferLike => {
    const buffer = new Uint8Array(length)
    buffer.set(bytes)
    const decoded = decodeMessage(buffer.subarray(0, bytes.length))
    if (decoded.type !== 'AppendEntries') throw new Error('an AppendEntries stays one')
    return (decoded.entries[0] as typeof entry).slab.buffer
  }
  expect(slabIn(bytes.length).byteLength).toBe(bytes.length)
  expect(slabIn(2000).byteLength).toBe(2000)
  expect(slabIn(64 * 1024).byteLength).toBe(recordBytes(entry))
})

test('entries decoded from one message share a slab', () => {
  const entries = [1, 2].map((index) =>
    makeEntry({
      group: 0,
      kind: EntryKind.command,
      index,
      term: 1,
      time: 0,
      payload: new Uint8Array([index]),
    }),
  )
  const message: Message = {
    type: 'AppendEntries',
    term: 1,
    prevLogIndex: 0,
    prevLogTerm: 0,
    entries,
    leaderCommit: 0,
    round: 0,
  }
  const decoded = decodeMessage(encodeMessage(message))
  if (decoded.type !== 'AppendEntries') throw new Error('an AppendEntries stays one')
  expect(decoded.entries[0]?.slab).toBe(decoded.entries[1]?.slab)
  expect(decoded.entries.map((entry) => [...payloadOf(entry)])).toEqual([[1], [2]])
})

describe('bytes that no server would send', () => {
  test('random ones are refused with ProtocolError, or are a message to the byte', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 120 }), fc.nat(8), (random, tag) => {
        expectRefusedOrExact(random)
        expectRefusedOrExact(new Uint8Array([tag, ...random]))
      }),
      { numRuns: 1000 },
    )
  })

  test('a message cut off anywhere is refused', () => {
    fc.assert(
      fc.property(
        anyMessage,
        fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
        (message, share) => {
          const whole = encodeMessage(message)
          const cut = whole.subarray(0, Math.floor(share * whole.length))
          expect(() => decodeMessage(cut)).toThrow(ProtocolError)
        },
      ),
      { numRuns: 1000 },
    )
  })

  test('a message with a byte too many is refused', () => {
    fc.assert(
      fc.property(anyMessage, fc.nat(255), (message, byte) => {
        expect(() => decodeMessage(new Uint8Array([...encodeMessage(message), byte]))).toThrow(ProtocolError)
      }),
    )
  })

  test('a message with a bit flipped is refused or is another message, to the byte', () => {
    fc.assert(
      fc.property(anyMessage, fc.nat(), (message, at) => {
        const flipped = encodeMessage(message).slice()
        const bit = at % (flipped.length * 8)
        flipped[bit >> 3] = (flipped[bit >> 3] as number) ^ (1 << (bit & 7))
        expectRefusedOrExact(flipped)
      }),
      { numRuns: 600 },
    )
  })

  function expectRefusedOrExact(input: Uint8Array): void {
    let message: Message
    try {
      message = decodeMessage(input)
    } catch (error) {
      expect(error).toBeInstanceOf(ProtocolError)
      return
    }
    expect(encodeMessage(message)).toEqual(input)
  }
})

describe('AppendEntries that break the log’s rules are refused', () => {
  const fields: RecordFields = {
    group: 0,
    kind: EntryKind.command,
    index: 4,
    term: 2,
    time: 0,
    payload: new Uint8Array(),
  }
  test.each<[string, Partial<RecordFields>, RegExp]>([
    ['a gap after prevLogIndex', { index: 5 }, /gap/],
    ['an entry before prevLogIndex', { index: 3 }, /gap/],
    ['a term before prevLogTerm', { term: 1 }, /terms/],
    ['a term after the leader’s', { term: 4 }, /terms/],
    ['term and vote, which are only for disks', { kind: EntryKind.hardState }, /only for disks/],
    ['where a log begins, which is only for disks', { kind: EntryKind.logStart }, /only for disks/],
    ['a configuration that is none', { kind: EntryKind.configuration }, /too early/],
    ['another group', { group: 1 }, /group 1/],
  ])('%s', (_, change, why) => {
    const entries = [makeEntry({ ...fields, ...change })]
    const message: Message = {
      type: 'AppendEntries',
      term: 3,
      prevLogIndex: 3,
      prevLogTerm: 2,
      entries,
      leaderCommit: 0,
      round: 0,
    }
    expect(() => decodeMessage(encodeMessage(message))).toThrow(why)
  })

  test('a count that the bytes cannot hold allocates nothing', () => {
    const header = [3, 1, 0, 0, 0, 0]
    const huge = [0xff, 0xff, 0xff, 0xff, 0xff, 0x7f]
    expect(() => decodeMessage(new Uint8Array([...header, ...huge]))).toThrow(/a count of/)
  })
})

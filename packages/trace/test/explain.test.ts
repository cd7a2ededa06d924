import type { TraceEvent } from '@lab/rpc'
import { expect, test } from 'vitest'
import { explain, formatExplanation, TraceStats, type TimedEvent } from '../src/index.ts'

const story = (...events: readonly object[]): TimedEvent[] =>
  events.map((event, at) => {
    const full = { i: at + 1, t: at * 1000, ...event } as TraceEvent
    return { time: full.t, life: 1, event: full }
  })

const request = { type: 'RequestVote', term: 3, lastLogIndex: 4, lastLogTerm: 2 }
const election = story(
  { n: 'n1', k: 'timer', what: 'deadline' },
  { n: 'n1', k: 'role', role: 'candidate', term: 3, why: 'nothing was heard from n2', c: 1 },
  { n: 'n1', k: 'send', m: 'x>1', to: 'n3', ...request, c: 1 },
  { n: 'n3', k: 'recv', m: 'x>1', from: 'n1', ...request },
  { n: 'n3', k: 'send', m: 'x<1', to: 'n1', type: 'RequestVoteReply', term: 3, voteGranted: true, c: 4 },
  { n: 'n1', k: 'recv', m: 'x<1', from: 'n3', type: 'RequestVoteReply', term: 3, voteGranted: true },
  { n: 'n1', k: 'role', role: 'leader', term: 3, why: 'a majority voted for it', c: 6 },
)

test('an event is explained by the chain of what it came of, across messages, back to the beginning', () => {
  expect(formatExplanation(explain(election, 7))).toEqual([
    '     #7    0.0060 s  n1 became leader in term 3: a majority voted for it.',
    '     #6    0.0050 s  because n1 received RequestVoteReply from n3 (term 3, voteGranted)',
    '     #5    0.0040 s  because n3 sent RequestVoteReply to n1 (term 3, voteGranted)',
    '     #4    0.0030 s  because n3 received RequestVote from n1 (term 3, lastLogIndex 4, lastLogTerm 2)',
    '     #3    0.0020 s  because n1 sent RequestVote to n3 (term 3, lastLogIndex 4, lastLogTerm 2)',
    '     #1    0.0000 s  because the timer of n1 rang',
    'So it began with event 1, 6.0 ms before, 5 steps back.',
  ])
})

test('a foreign Raft says no causes: replies are told by their ids, the rest by what came in at that moment', () => {
  const foreign = story(
    { n: 'n1', k: 'send', m: 'e#1', to: 'n2', type: 'RequestVote', t: 0 },
    { n: 'n2', k: 'recv', m: 'e#1', from: 'n1', type: 'RequestVote', t: 700 },
    { n: 'n2', k: 'send', m: 'e#1r', to: 'n1', type: 'RequestVote reply', voteGranted: true, t: 700 },
    { n: 'n1', k: 'recv', m: 'e#1r', from: 'n2', type: 'RequestVote reply', t: 900 },
    { n: 'n1', k: 'role', role: 'leader', term: 1, t: 900 },
  )
  expect(explain(foreign, 5).map(({ event, likely }) => [event.i, likely])).toEqual([
    [5, false],
    [4, true],
    [3, false],
    [2, false],
    [1, false],
  ])
  // What a message held is said at its sending.
  expect(explain(foreign, 4)[0]?.text).toBe('n1 received RequestVote reply from n2 (voteGranted)')
})

test('an event whose cause nobody knows says so, one that is not there gives nothing, and a circle ends', () => {
  expect(formatExplanation(explain(election, 1)).at(-1)).toBe('The trace does not say what it came of.')
  expect(explain(election, 99)).toEqual([])
  const circle = story({ n: 'n1', k: 'commit', index: 1, c: 2 }, { n: 'n1', k: 'commit', index: 2, c: 1 })
  expect(explain(circle, 1)).toHaveLength(2)
})

test('stats count elections, messages, latencies, refusals and faults', () => {
  const stats = new TraceStats()
  for (const timed of story(
    ...election.map(({ event }) => event),
    { n: 'n1', k: 'call', client: 'c1', id: 1, op: 'put', t: 7000 },
    { n: 'n1', k: 'append', first: 5, last: 6, term: 3, t: 8000 },
    { n: 'n1', k: 'send', m: 'x>2', to: 'n3', type: 'AppendEntries', bytes: 120 },
    { n: 'n1', k: 'drop', m: 'x>2', to: 'n3', type: 'message', why: 'lost' },
    { n: 'n1', k: 'persist', first: 5, last: 6, micros: 1500 },
    { n: 'n1', k: 'commit', index: 6, t: 20_000 },
    { n: 'n1', k: 'return', client: 'c1', id: 1, outcome: 'ok', t: 21_000 },
    { n: 'n2', k: 'refuse', to: 'n3', type: 'vote', term: 3, why: 'x' },
    { n: 'n2', k: 'fault', what: 'crash' },
    { n: 'n3', k: 'stall', millis: 300, t: 30_000 },
  ))
    stats.feed(timed)
  expect(stats.summary()).toMatchObject({
    ...{ events: 17, seconds: 0.03, nodes: ['n1', 'n2', 'n3'], highestTerm: 3, campaigns: 1, committed: 6 },
    elections: [{ node: 'n1', term: 3, seconds: 0.006 }],
    messages: {
      RequestVote: { sent: 1, received: 1, dropped: 0 },
      AppendEntries: { sent: 1, received: 0, dropped: 1, bytes: 120 },
    },
    commitMs: { count: 2, median: 12, max: 12 },
    calls: { ok: { count: 1, median: 14 } },
    diskMs: { count: 1, max: 1.5 },
    refusals: { vote: 1 },
    faults: { crash: 1, stall: 1 },
  })
})

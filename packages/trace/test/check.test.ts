import type { TraceFields } from '@lab/rpc'
import { expect, test } from 'vitest'
import { formatViolation, rules, TraceChecker, type RuleName } from '../src/index.ts'
import { shardCases, shardStory } from './shard-cases.ts'

type Step = Partial<TraceFields> & { readonly n: string; readonly k: TraceFields['k'] }

const voters = ['n1', 'n2', 'n3']
const start = (n: string, more: object = {}): Step => ({
  ...{ n, k: 'start', term: 0, lastIndex: 0, snapshotIndex: 0, terms: [], voters },
  ...more,
})
const leader = (n: string, term: number): Step => ({ n, k: 'role', role: 'leader', term, votedFor: n })
const follower = (n: string, term: number): Step => ({ n, k: 'role', role: 'follower', term })
const append = (n: string, first: number, ...terms: number[]): Step => ({
  ...{ n, k: 'append', first, last: first + terms.length - 1, term: terms.at(-1) },
  terms: terms.map((term, at) => [first + at, term]),
})
const persist = (n: string, last: number, more: object = {}): Step => ({
  n,
  k: 'persist',
  first: last,
  last,
  ...more,
})
const commit = (n: string, index: number): Step => ({ n, k: 'commit', index })
const apply = (n: string, index: number, term: number): Step => ({ n, k: 'apply', index, term })

/** A leader of term 1 gets two entries to n2, commits and applies them; n3 has nothing. */
const story: Step[] = [
  ...voters.map((n) => start(n)),
  ...voters.map((n) => persist(n, 0, { term: 1, votedFor: 'n1' })),
  leader('n1', 1),
  append('n1', 1, 1, 1),
  append('n2', 1, 1, 1),
  persist('n1', 2),
  persist('n2', 2),
  commit('n1', 2),
  apply('n1', 1, 1),
  apply('n1', 2, 1),
]

function broken(...steps: readonly Step[]): RuleName[] {
  return violations(steps).map(({ rule }) => rule)
}

function violations(steps: readonly Step[]): ReturnType<TraceChecker['feed']>[number][] {
  const checker = new TraceChecker()
  return steps.flatMap((step, at) => [...checker.feed({ ...step, i: at + 1, t: at * 1000 })])
}

test('a story in which all goes well breaks no rule, also through a crash, an overwritten tail and a snapshot', () => {
  const on: Step[] = [
    append('n3', 1, 1),
    persist('n3', 1),
    { n: 'n1', k: 'stop' },
    // n2 leads on, and replaces what n1 alone had.
    append('n1', 3, 1),
    persist('n2', 0, { term: 2, votedFor: 'n2' }),
    leader('n2', 2),
    append('n2', 3, 2),
    start('n1', { term: 1, lastIndex: 3, terms: [[1, 1]] }),
    follower('n1', 2),
    { n: 'n1', k: 'truncate', from: 3 },
    append('n1', 3, 2),
    persist('n1', 3, { term: 2 }),
    persist('n2', 3),
    commit('n2', 3),
    apply('n2', 1, 1),
    apply('n2', 2, 1),
    apply('n2', 3, 2),
    { n: 'n2', k: 'snapshot', index: 3, term: 2 },
    { n: 'n3', k: 'snapshot', index: 3, term: 2, installed: true },
    append('n3', 4, 2),
    apply('n3', 4, 2),
  ]
  expect(violations([...story, ...on]).map(formatViolation)).toEqual([
    expect.stringContaining('n3 applies 4, and knows only 3 committed'),
  ])
  expect(broken(...story, ...on.slice(0, -1))).toEqual([])
})

const cases: readonly (readonly [title: string, rule: RuleName, ...steps: Step[]])[] = [
  ['§5.2: two leaders in one term', 'electionSafety', ...story, leader('n2', 1)],
  [
    '§5.2: two servers that send AppendEntries in one term, as a foreign Raft shows itself',
    'electionSafety',
    { n: 'n1', k: 'send', type: 'Raft.AppendEntries', to: 'n2', term: 3 },
    { n: 'n2', k: 'send', type: 'Raft.AppendEntries', to: 'n1', term: 3 },
  ],
  [
    'Figure 2: a vote on disk and another one in the same term, after a crash',
    'voteOnce',
    persist('n3', 0, { term: 4, votedFor: 'n1' }),
    start('n3', { term: 4 }),
    persist('n3', 0, { term: 4, votedFor: 'n2' }),
  ],
  [
    '§5.2: two votes sent in one term',
    'voteOnce',
    { n: 'n3', k: 'send', to: 'n1', type: 'RequestVote reply', voteGranted: true, term: 2 },
    { n: 'n3', k: 'send', to: 'n2', type: 'RequestVote reply', voteGranted: true, term: 2 },
  ],
  ['§5.1: a term that goes back', 'termsOnlyGrow', follower('n1', 3), follower('n1', 2)],
  [
    'Figure 2: a term that was on disk and is not there after a crash',
    'termsOnlyGrow',
    persist('n1', 0, { term: 3 }),
    start('n1', { term: 2 }),
  ],
  [
    '§5.3: a leader that removes its entries',
    'leaderAppendOnly',
    ...story,
    { n: 'n1', k: 'truncate', from: 2 },
  ],
  ['§5.3: a leader that overwrites its entries', 'leaderAppendOnly', ...story, append('n1', 2, 1)],
  [
    '§5.3: an entry behind different ones',
    'logMatching',
    ...voters.map((n) => start(n)),
    append('n1', 1, 1, 3),
    append('n2', 1, 2, 3),
  ],
  [
    '§5.3: the same index and term with another content',
    'logMatching',
    { ...append('n1', 1, 1), crcs: [7] },
    { ...append('n2', 1, 1), crcs: [8] },
  ],
  ['§5.3: a log along which terms decrease', 'logMatching', start('n1'), append('n1', 1, 2, 1)],
  ['§5.4: a leader that lacks a committed entry', 'leaderCompleteness', ...story, leader('n3', 2)],
  [
    'Figure 8: a leader with another entry in place of a committed one',
    'leaderCompleteness',
    ...story,
    append('n3', 1, 1, 2, 3),
    leader('n3', 4),
  ],
  ['§5.4.3: two entries applied at one index', 'stateMachineSafety', ...story, apply('n3', 1, 2)],
  [
    '§5.4.3: two commands applied at one index, of a Raft that tells no terms',
    'stateMachineSafety',
    { n: 'n1', k: 'apply', index: 1, command: 'x' },
    { n: 'n2', k: 'apply', index: 1, command: 'y' },
  ],
  ['§5.4.3: another entry committed', 'stateMachineSafety', ...story, append('n3', 1, 1, 2), commit('n3', 2)],
  [
    '§5.4.2: a leader that commits an entry of an earlier term',
    'commitOwnTerm',
    ...story.slice(0, -3),
    follower('n2', 2),
    leader('n2', 2),
    commit('n2', 2),
  ],
  [
    '§5.3: a commit of what only the leader has on disk',
    'commitNeedsMajority',
    ...story,
    append('n1', 3, 1),
    persist('n1', 3),
    commit('n1', 3),
  ],
  [
    '§5.3: a commit of what only a follower has on disk, while the log of the leader lags',
    'commitNeedsMajority',
    ...story,
    append('n2', 3, 1),
    persist('n2', 3),
    commit('n1', 3),
  ],
  ['Figure 2: a commitIndex that goes back', 'commitOnlyGrows', ...story, commit('n1', 1)],
  ['Figure 2: an index applied twice', 'applyInOrder', ...story, apply('n1', 2, 1)],
  ['Figure 2: an index left out', 'applyInOrder', ...story.slice(0, -2), apply('n1', 2, 1)],
  [
    'Figure 2: an entry applied before it is committed',
    'applyCommitted',
    ...story,
    append('n1', 3, 1),
    persist('n1', 3),
    apply('n1', 3, 1),
  ],
  [
    '§7: a snapshot of what is not applied',
    'snapshotIsCommitted',
    ...story.slice(0, -1),
    { n: 'n1', k: 'snapshot', index: 2, term: 1 },
  ],
  [
    '§7: an installed snapshot of another history',
    'snapshotIsCommitted',
    ...story,
    { n: 'n3', k: 'snapshot', index: 2, term: 5, installed: true },
  ],
  [
    '§5.4: what a client was told is done is not in the log of the next leader',
    'acknowledgedStays',
    ...story.slice(0, -3),
    { n: 'c1', k: 'return', outcome: 'ok', index: 2, term: 1 },
    leader('n3', 2),
  ],
  [
    '§5.4: another entry is applied where a client was told that its own is',
    'acknowledgedStays',
    { n: 'c1', k: 'return', outcome: 'ok', index: 2, term: 1 },
    apply('n3', 2, 2),
  ],
  [
    'a rule that the program itself found broken',
    'saidByItself',
    { n: '', k: 'invariant', rule: 'x', why: 'y' },
  ],
]

for (const [title, rule, ...steps] of [...cases, ...shardCases])
  test(`${title}, is found at the event that shows it`, () => {
    const found = violations(steps)
    expect(found.map((violation) => violation.rule)).toContain(rule)
    const violation = found.find((one) => one.rule === rule)!
    expect(violation.event.i).toBe(steps.length)
    expect(formatViolation(violation)).toContain(rules[rule].section)
  })

test('a shard that goes from group to group as it should breaks no rule, told twice neither', () => {
  expect(violations([...shardStory])).toEqual([])
  expect(violations([...shardStory, ...shardStory])).toEqual([])
})

test('an entry that a majority had is committed, though a follower hears of it with a configuration that came later', () => {
  const voted = (n: string): Step[] => [append(n, 3, 1), persist(n, 3)]
  const moves: Step = { ...{ n: 'n2', k: 'config', index: 4 }, voters: ['n1', 'n3'], votersOutgoing: voters }
  const steps = [...story, append('n3', 1, 1, 1), ...voted('n2'), ...voted('n3')]
  // The log of n1, which leads, does not show entry 3 yet: its disk is slow.
  expect(broken(...steps, commit('n1', 3), moves, append('n2', 4, 1), commit('n2', 3))).toEqual([])
})

test('every rule has a case', () => {
  expect(new Set([...cases, ...shardCases].map(([, rule]) => rule))).toEqual(new Set(Object.keys(rules)))
})

test('a wiped disk has forgotten its term and its votes: that is told, and no violation', () => {
  const before = persist('n3', 0, { term: 4, votedFor: 'n1' })
  const after = [start('n3'), persist('n3', 0, { term: 4, votedFor: 'n2' })]
  expect(broken(before, ...after)).toEqual(['termsOnlyGrow', 'voteOnce'])
  expect(broken(before, { n: 'n3', k: 'fault', what: 'wipe' }, ...after)).toEqual([])
})

test('a vote that was only in memory when its server crashed was never given', () => {
  const only = { n: 'n3', k: 'role', role: 'candidate', term: 4, votedFor: 'n3' } as const
  expect(broken(only, start('n3', { term: 3 }), persist('n3', 0, { term: 4, votedFor: 'n2' }))).toEqual([])
})

test('groups are judged each for itself', () => {
  expect(broken({ ...leader('n1', 1), g: 1 }, { ...leader('n2', 1), g: 2 })).toEqual([])
  expect(broken({ ...leader('n1', 1), g: 2 }, { ...leader('n2', 1), g: 2 })).toEqual(['electionSafety'])
})

test('a trace that tells only some kinds of events, or fields of the wrong type, breaks nothing', () => {
  for (const left of ['persist', 'append', 'start', 'commit', 'role'])
    expect(broken(...story.filter(({ k }) => k !== left))).toEqual([])
  expect(
    broken(...story.map((step) => ({ ...step, term: 'x', index: {}, terms: [null], last: -1 }))),
  ).toEqual([])
})

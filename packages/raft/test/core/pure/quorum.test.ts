import fc from 'fast-check'
import { expect, test } from 'vitest'
import { countVotes, isVoter, majorityOf, quorumReached } from '../../../src/core/quorum.ts'

const IDS = ['a', 'b', 'c', 'd', 'e', 'f', 'g']
const voterSets = fc.record({
  voters: fc.subarray(IDS, { minLength: 1 }),
  votersOutgoing: fc.oneof(fc.constant<string[]>([]), fc.subarray(IDS, { minLength: 1 })),
})

/** All subsets of `ids`, the slow way to say what a quorum is. */
function subsets(ids: readonly string[]): string[][] {
  return ids.reduce<string[][]>((all, id) => [...all, ...all.map((set) => [...set, id])], [[]])
}

/** Is `set` a majority of each set of voters? */
function decides(
  set: readonly string[],
  { voters, votersOutgoing }: { voters: string[]; votersOutgoing: string[] },
) {
  return [voters, votersOutgoing]
    .filter((ids) => ids.length > 0)
    .every((ids) => ids.filter((id) => set.includes(id)).length * 2 > ids.length)
}

test('what a quorum has reached is the most that all members of some deciding set have reached', () => {
  fc.assert(
    fc.property(voterSets, fc.array(fc.nat(5), { minLength: 7, maxLength: 7 }), (sets, reached) => {
      const of = (id: string): number => reached[IDS.indexOf(id)] ?? 0
      const naive = Math.max(
        ...subsets(IDS)
          .filter((set) => decides(set, sets))
          .map((set) => Math.min(...set.map(of))),
      )
      expect(quorumReached(sets, of)).toBe(naive)
    }),
    { numRuns: 300 },
  )
})

test('an election is won when those who said yes decide, and lost when even all who may still say yes would not', () => {
  const vote = fc.constantFrom(true, false, undefined)
  fc.assert(
    fc.property(voterSets, fc.array(vote, { minLength: 7, maxLength: 7 }), (sets, votes) => {
      const given = new Map<string, boolean>()
      votes.forEach((value, at) => {
        if (value !== undefined) given.set(IDS[at] ?? '', value)
      })
      const yes = IDS.filter((id) => given.get(id) === true)
      const possible = IDS.filter((id) => given.get(id) !== false)
      const naive = decides(yes, sets) ? 'won' : decides(possible, sets) ? 'pending' : 'lost'
      expect(countVotes(sets, given)).toBe(naive)
    }),
  )
})

test('two quorums of one configuration always share a voter', () => {
  fc.assert(
    fc.property(voterSets, (sets) => {
      const deciding = subsets([...new Set([...sets.voters, ...sets.votersOutgoing])]).filter((set) =>
        decides(set, sets),
      )
      for (const set of deciding) {
        const rest = new Map(IDS.map((id) => [id, !set.includes(id)]))
        expect(countVotes(sets, rest)).not.toBe('won')
      }
    }),
    { numRuns: 50 },
  )
})

test.each([
  [1, 1],
  [2, 2],
  [3, 2],
  [4, 3],
  [5, 3],
])('a majority of %i is %i', (count, majority) => {
  expect(majorityOf(count)).toBe(majority)
})

test('no voters decide nothing', () => {
  const none = { voters: [], votersOutgoing: [] }
  expect(quorumReached(none, () => 7)).toBe(-Infinity)
  expect(countVotes(none, new Map([['a', true]]))).not.toBe('won')
})

test('members of both sets have a vote, learners have none', () => {
  const sets = { voters: ['a'], votersOutgoing: ['b'] }
  expect(['a', 'b', 'c'].map((id) => isVoter(sets, id))).toEqual([true, true, false])
})

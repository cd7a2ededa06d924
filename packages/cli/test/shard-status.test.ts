import { expect, test } from 'vitest'
import { summaryRows } from '../src/shards/status.ts'

test('of a thousand shards those of a group that do the same are one line, with how many, which, and their sums', () => {
  const rows = Array.from({ length: 1000 }, (_, shard) => {
    const group = shard === 7 ? 102 : shard % 2 === 0 || shard > 500 ? 100 : 101
    const isKnown = group !== 101
    return {
      ...{ shard, group, state: isKnown ? (shard === 7 ? 'moves to 100' : 'serving') : 'no leader' },
      ...{ keys: isKnown ? 2 : null, bytes: isKnown ? 10 : null, 'ops/s': isKnown ? 1 : null },
    }
  })
  expect(summaryRows(rows)).toEqual([
    {
      ...{ shards: 750, group: 100, state: 'serving', keys: 1500, bytes: 7500, 'ops/s': 750 },
      which: '0 2 4 6 8 10 12 14 16 18 20 22 24 26 28 30 32 34 36 38 40 42 …',
    },
    {
      ...{ shards: 249, group: 101, state: 'no leader', keys: null, bytes: null, 'ops/s': null },
      which: '1 3 5 9 11 13 15 17 19 21 23 25 27 29 31 33 35 37 39 41 43 …',
    },
    {
      ...{ shards: 1, group: 102, state: 'moves to 100', keys: 2, bytes: 10, 'ops/s': 1, which: '7' },
    },
  ])
})

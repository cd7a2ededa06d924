import fc from 'fast-check'
import { expect, test } from 'vitest'
import { gidsOf, rebalance, shardsOf, weightOf, type Gid, type Placement } from '@lab/shardctrler'

function placement(shards: readonly Gid[], gids: readonly Gid[], more: Partial<Placement> = {}): Placement {
  return {
    shards,
    groups: Object.fromEntries(gids.map((gid) => [gid, ['x']])),
    weights: {},
    pinned: [],
    ...more,
  }
}

function movesBetween(before: readonly Gid[], after: readonly Gid[]): number {
  return before.filter((owner, shard) => owner !== after[shard]).length
}

/** |held − fair share| < 1 for each group, in whole numbers: nothing of the implementation. */
function isBalanced(of: Placement, shards: readonly Gid[]): boolean {
  const gids = gidsOf(of)
  const all = shards.length - of.pinned.length
  const weights = gids.reduce((sum, gid) => sum + weightOf(of, gid), 0)
  return gids.every((gid) => {
    const held = shardsOf({ shards }, gid).filter((shard) => !of.pinned.includes(shard)).length
    return Math.abs(held * weights - all * weightOf(of, gid)) < weights
  })
}

/** The fewest moves of any balanced placement, by looking at every placement there is. */
function fewestMoves(of: Placement): number {
  const gids = gidsOf(of)
  const free = of.shards.flatMap((_, shard) => (of.pinned.includes(shard) ? [] : [shard]))
  let fewest = Infinity
  for (let number = 0; number < gids.length ** free.length; number++) {
    const shards = [...of.shards]
    let rest = number
    for (const shard of free) {
      shards[shard] = gids[rest % gids.length] ?? 0
      rest = Math.floor(rest / gids.length)
    }
    if (isBalanced(of, shards)) fewest = Math.min(fewest, movesBetween(of.shards, shards))
  }
  return fewest
}

const small = fc
  .record({
    owners: fc.array(fc.nat(4), { minLength: 1, maxLength: 7 }),
    gids: fc.uniqueArray(fc.integer({ min: 1, max: 4 }), { minLength: 1, maxLength: 3 }),
    weights: fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 4, maxLength: 4 }),
    pins: fc.uniqueArray(fc.nat(6), { maxLength: 3 }),
  })
  .map(({ owners, gids, weights, pins }) => {
    const pinned = pins.filter((shard) => gids.includes(owners[shard] ?? 0)).sort((a, b) => a - b)
    const heavy = gids.flatMap((gid) =>
      weights[gid - 1] === 1 ? [] : [[gid, weights[gid - 1] ?? 1] as const],
    )
    return placement(owners, gids, { pinned, weights: Object.fromEntries(heavy) })
  })

test('no balanced placement moves fewer shards, by comparison with every placement there is', () => {
  fc.assert(
    fc.property(small, (before) => {
      const after = rebalance(before)
      expect(isBalanced(before, after)).toBe(true)
      expect(movesBetween(before.shards, after)).toBe(fewestMoves(before))
      for (const shard of before.pinned) expect(after[shard]).toBe(before.shards[shard])
    }),
    { numRuns: 300 },
  )
})

/** For placements too large to look at all: surplus and orphans must move, and a group rounded up can keep one more. */
function leastMoves(of: Placement): number {
  const gids = gidsOf(of)
  const counts = gids.map((gid) => shardsOf(of, gid).length)
  const floor = Math.floor(of.shards.length / gids.length)
  const extras = of.shards.length % gids.length
  const above = counts.filter((count) => count > floor).length
  const kept = counts.reduce((sum, count) => sum + Math.min(count, floor), 0) + Math.min(above, extras)
  return of.shards.length - kept
}

test('through any history of joins and leaves, balance is within one and moves are the fewest', () => {
  const steps = fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 30 })
  fc.assert(
    fc.property(steps, fc.constantFrom(1, 10, 64, 1000), (gids, count) => {
      let shards: Gid[] = Array.from({ length: count }, () => 0)
      const members = new Set<Gid>()
      for (const gid of gids) {
        if (!members.delete(gid)) members.add(gid)
        const before = placement(shards, [...members])
        shards = rebalance(before)
        if (members.size === 0) expect(new Set(shards)).toEqual(new Set([0]))
        else {
          const counts = [...members].map((each) => shardsOf({ shards }, each).length)
          expect(Math.max(...counts) - Math.min(...counts)).toBeLessThanOrEqual(1)
          expect(movesBetween(before.shards, shards)).toBe(leastMoves(before))
        }
      }
    }),
    { numRuns: 100 },
  )
})

test('the order in which groups were written down changes nothing', () => {
  const shards = [3, 3, 3, 3, 0, 0, 7, 7, 7, 7]
  const one = rebalance(placement(shards, [3, 7, 11]))
  expect(rebalance(placement(shards, [11, 7, 3]))).toEqual(one)
})

test('a group of weight 3 beside one of weight 1 serves three quarters', () => {
  const shards = rebalance(
    placement(
      Array.from({ length: 64 }, () => 0),
      [1, 2],
      { weights: { 2: 3 } },
    ),
  )
  expect(shardsOf({ shards }, 2)).toHaveLength(48)
})

test('pinned shards stay, and the others are balanced without them', () => {
  const shards = rebalance(placement([1, 1, 1, 1, 1, 1, 1, 1], [1, 2], { pinned: [0, 1] }))
  expect(shards.slice(0, 2)).toEqual([1, 1])
  expect(shardsOf({ shards: shards.slice(2) }, 2)).toHaveLength(3)
})

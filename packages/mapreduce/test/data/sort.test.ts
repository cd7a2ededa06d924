import { expect, test } from 'vitest'
import { Arena } from '../../src/data/arena.ts'
import { compareKeys } from '../../src/data/compare.ts'
import { sortPairs } from '../../src/data/sort.ts'

const NOTHING = new Uint8Array(0)

/** The keys in the order that the sort gives, each with its number. */
function sorted(keys: readonly Uint8Array[]): [string, number][] {
  const arena = new Arena()
  for (const key of keys) arena.appendBytes(key, 0, key.length, NOTHING, 0, 0)
  return [...sortPairs(arena, 1).order].map((pair) => [String(keys[pair]), pair])
}

function expected(keys: readonly Uint8Array[]): [string, number][] {
  const order = keys.map((_, i) => i).sort((a, b) => compareKeys(keys[a]!, keys[b]!) || a - b)
  return order.map((i) => [String(keys[i]), i])
}

test.each([
  ['few bytes of few kinds', 3, 9],
  ['one kind of byte, so that only lengths differ', 1, 40],
  ['many kinds', 256, 12],
])('keys of %s: bytewise, shorter before longer, equal ones as they came', (_what, kinds, most) => {
  let state = 1
  const next = (below: number): number => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0
    return (state >>> 8) % below
  }
  const keys = Array.from({ length: 3000 }, () => Uint8Array.from({ length: next(most) }, () => next(kinds)))
  expect(sorted(keys)).toEqual(expected(keys))
})

test('many long keys that are equal, or nearly: not one step for every few bytes', () => {
  const long = new Uint8Array(50_000).fill(7)
  const keys = Array.from({ length: 40 }, (_, i) => (i % 3 === 0 ? long.subarray(0, 49_990 + (i % 9)) : long))
  expect(sorted(keys).map(([, i]) => i)).toEqual(expected(keys).map(([, i]) => i))
})

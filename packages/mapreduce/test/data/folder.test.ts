/** Folding in WebAssembly gives what the fold table and the arena give. */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { Groups } from '../../src/data/groups.ts'
import { bytesKey } from '../../src/data/keys.ts'
import { MapOutput, type MapOutputOptions } from '../../src/data/map-output.ts'
import { MemoryFiles } from '../../src/data/memory-files.ts'
import { ReduceInput } from '../../src/data/reduce-input.ts'
import { sum } from '../../src/kernels/sum.ts'

type Combine = (left: number, right: number, key: Uint8Array) => number
type Pair = readonly [key: Uint8Array, value: number]
type Options = Partial<MapOutputOptions<Uint8Array, number>>

/** What reduce makes of each partition's keys, and how many spills and pairs there were. */
function folded(pairs: readonly Pair[], combine: Combine, options: Options = {}) {
  const files = new MemoryFiles()
  const { partitions = 1 } = options
  const own = { files, path: 'map', partitions, key: bytesKey, combine, ...options }
  const output = new MapOutput<Uint8Array, number>(own)
  // Slices of one array, which changes as soon as they have been emitted.
  const scratch = new Uint8Array(1 << 13)
  for (const [key, value] of pairs) {
    scratch.set(key, 3)
    output.emit(scratch, value, 3, 3 + key.length)
    scratch.fill(1, 0, 3 + key.length)
  }
  const { path, spills, records } = output.finish()
  const parts = Array.from({ length: partitions }, (_, number) => {
    const sources = spills.map((segments) => ({ path, segment: segments[number]! }))
    const { run } = new ReduceInput({ files, sources, scratch: 's', budgetBytes: 2 ** 24 })
    const groups = new Groups<Uint8Array, number>(run, { key: bytesKey })
    const part: [string, number][] = []
    while (groups.next()) {
      const { key } = groups
      const total = [...groups.values].reduce((left, right) => combine(left, right, key))
      part.push([Buffer.from(key).toString('hex'), total])
    }
    return part
  })
  return { parts, spills: spills.length, records }
}

const bytes = (max: { min?: number; max?: number }): fc.Arbitrary<Uint8Array> =>
  fc.uint8Array({ maxLength: 18, ...max })
const keys = fc.oneof(
  bytes({ max: 1 }),
  bytes({ min: 254 }),
  bytes({}),
  fc.constantFrom(0, 1, 7, 8, 9, 15, 16, 17, 24, 25, 4095, 4096, 4097).map((n) => new Uint8Array(n).fill(7)),
  fc.constantFrom(16, 17, 40).chain((n) => fc.nat(255).map((last) => new Uint8Array(n).fill(last, n - 1))),
)
const numbers = fc.oneof(
  fc.integer(),
  fc.double({ noNaN: true }),
  fc.constantFrom(0, -0, 1, 0xef, 0xf0, 2 ** 31, 2 ** 32 - 1, 2 ** 32, Infinity, -Infinity),
)
const lists = fc.array(fc.tuple(keys, numbers), { maxLength: 200, size: 'max' })

const larger: Combine = (left, right) => Math.max(left, right)
const ofKey: Combine = (left, right, key) =>
  key.length % 2 === 0 ? Math.min(left, right) : Math.max(left, right)

test('any keys, numbers, combiner and partition: the same parts as without WebAssembly', () => {
  const byLength = (key: Uint8Array, partitions: number): number => key.length % partitions
  fc.assert(
    fc.property(
      lists,
      fc.constantFrom(larger, ofKey),
      fc.integer({ min: 1, max: 4 }),
      fc.constantFrom(undefined, byLength),
      fc.constantFrom(1, 2 ** 20),
      (pairs, combine, partitions, partition, budgetBytes) => {
        const options = { partitions, partition, budgetBytes }
        const expected = folded(pairs, combine, { ...options, isPlain: true })
        const found = folded(pairs, combine, options)
        expect(found.parts).toEqual(expected.parts)
        // Each key is one pair, where nothing was spilled before the end.
        if (budgetBytes > 1) expect(found.records).toBe(expected.records)
      },
    ),
    { numRuns: 60 },
  )
})

test('integers are summed once, with a budget for one key and for all, with and without WebAssembly', () => {
  const integers = fc.array(fc.tuple(bytes({ max: 1 }), fc.nat(300)), { maxLength: 100, size: 'max' })
  fc.assert(
    fc.property(integers, (pairs) => {
      const expected = folded(pairs, sum, { isPlain: true })
      for (const options of [{ budgetBytes: 1 }, { budgetBytes: 1, isPlain: true }])
        expect(folded(pairs, sum, options).parts).toEqual(expected.parts)
    }),
    { numRuns: 20 },
  )
})

test.each([
  ['a small budget', 1, 4],
  ['a budget for which the table grows', 2 ** 22, 1],
])('%s: many keys, short and long, and every one is summed once', (_, budgetBytes, spillsMin) => {
  const pairs = Array.from({ length: 60_000 }, (__, i): Pair => {
    const number = (Math.imul(i, 0x9e3779b1) >>> 0) % 30_000
    return [
      Buffer.from(`${number}${'-'.repeat((number % 23) + (number % 500 === 0 ? 900 : 0))}`),
      1 + (i % 3),
    ]
  })
  const expected = new Map<string, number>()
  for (const [key, value] of pairs) {
    const name = Buffer.from(key).toString('hex')
    expected.set(name, (expected.get(name) ?? 0) + value)
  }
  const { parts, spills } = folded(pairs, sum, { budgetBytes })
  expect(spills).toBeGreaterThanOrEqual(spillsMin)
  expect(parts).toEqual([[...expected].sort(([a], [b]) => (a < b ? -1 : 1))])
})

test('long keys that agree in length, beginning and hash are two', () => {
  // What wasm/fold.ts makes of eight bytes after others can be undone.
  const prime = 0x9e3779b97f4a7c15n
  const mixed = (hash: bigint, word: bigint): bigint => {
    const product = BigInt.asUintN(64, (hash ^ word) * prime)
    return BigInt.asUintN(64, (product << 29n) | (product >> 35n))
  }
  const first = mixed(24n, 1n)
  const other = mixed(first, 2n) ^ mixed(first, 3n) ^ 4n
  const keyOf = (...words: bigint[]): Uint8Array => new Uint8Array(BigUint64Array.from(words).buffer)
  const keys = [keyOf(1n, 2n, 4n), keyOf(1n, 3n, other)]
  const { parts } = folded(
    [...keys, ...keys].map((key): Pair => [key, 1]),
    sum,
  )
  expect(parts[0]?.map(([, total]) => total)).toEqual([2, 2])
})

test('a combiner that makes no number of two is refused', () => {
  const wrong = (() => 'text') as unknown as Combine
  expect(() =>
    folded(
      [
        [Buffer.from('a'), 1],
        [Buffer.from('a'), 2],
      ],
      wrong,
    ),
  ).toThrow(expect.objectContaining({ code: 'BAD_VALUE' }))
})

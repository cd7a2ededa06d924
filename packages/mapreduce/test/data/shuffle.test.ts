/** From emit to reduce, through spills and merges, against grouping in memory. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { Groups } from '../../src/data/groups.ts'
import { MapOutput, type MapOutputFile, type MapOutputOptions } from '../../src/data/map-output.ts'
import { MemoryFiles } from '../../src/data/memory-files.ts'
import { ReduceInput } from '../../src/data/reduce-input.ts'
import { grouped, plainJson, type Pair } from './oracle.ts'

type Options = Partial<MapOutputOptions<string, unknown>>

/** What reduce sees of all partitions, for map tasks that emit these pairs. */
function shuffle(
  tasks: readonly (readonly Pair[])[],
  options: Options,
  mergeBudget = 2 ** 20,
): [string, unknown[]][][] {
  const files = options.files ?? new MemoryFiles()
  const partitions = options.partitions ?? 1
  const outputs = tasks.map((pairs, task) => {
    const output = new MapOutput<string, unknown>({ files, path: `map-${task}`, partitions, ...options })
    for (const [key, value] of pairs) output.emit(key, value)
    return output.finish()
  })
  return Array.from({ length: partitions }, (_, partition) => reduced(files, outputs, partition, mergeBudget))
}

function reduced(
  files: MapOutputOptions<string, unknown>['files'],
  outputs: readonly MapOutputFile[],
  partition: number,
  budgetBytes: number,
): [string, unknown[]][] {
  const sources = outputs.flatMap(({ path, spills }) =>
    spills.map((segments) => ({ path, segment: segments[partition]! })),
  )
  const input = new ReduceInput({ files, sources, scratch: `scratch-${partition}-`, budgetBytes })
  const groups = new Groups<string, unknown>(input.run)
  const seen: [string, unknown[]][] = []
  while (groups.next()) seen.push([groups.key, [...groups.values]])
  input.close()
  return seen
}

const keys = fc.oneof(
  fc.constantFrom('', 'a', 'b', 'a\0', 'a\0\0', 'the', 'there', 'therefore', 'therefrom', 'thereforeward'),
  fc.string({ unit: 'grapheme', maxLength: 12 }),
  fc.string({ unit: fc.constantFrom('\uffff', '\u{10000}', '\ue000', 'é', 'x'), maxLength: 6 }),
  fc.nat(30).map((n) => 'x'.repeat(n)),
)
const values = fc.oneof(
  fc.nat(300),
  fc.double(),
  fc.string({ unit: 'grapheme', maxLength: 20 }),
  plainJson({ maxDepth: 2 }),
)
const tasksOf = <T>(value: fc.Arbitrary<T>): fc.Arbitrary<[string, T][][]> =>
  fc.array(fc.array(fc.tuple(keys, value), { maxLength: 120, size: 'max' }), { maxLength: 5 })
const budgets = fc.constantFrom(1, 300, 3000, 2 ** 20)
const mergeBudgets = fc.constantFrom(1, 2 ** 21, 2 ** 24)

describe('shuffle (MapReduce §4.1, §4.2)', () => {
  test('any pairs, budget and number of tasks: reduce sees each key once, in bytewise order, its values in the order of emits', () => {
    fc.assert(
      fc.property(tasksOf(values), budgets, mergeBudgets, (tasks, budgetBytes, mergeBudget) => {
        expect(shuffle(tasks, { budgetBytes }, mergeBudget)).toEqual([grouped(tasks.flat())])
      }),
      { numRuns: 40 },
    )
  })

  test('any number of partitions: each key is in the one that its hash names, and nothing is lost', () => {
    fc.assert(
      fc.property(
        tasksOf(values),
        budgets,
        fc.integer({ min: 1, max: 9 }),
        (tasks, budgetBytes, partitions) => {
          const seen = shuffle(tasks, { budgetBytes, partitions })
          for (const part of seen)
            expect(part).toEqual(grouped(part.flatMap(([k, vs]) => vs.map((v) => [k, v]))))
          expect(grouped(seen.flat().flatMap(([k, vs]) => vs.map((v): Pair => [k, v])))).toEqual(
            grouped(tasks.flat()),
          )
          expect(new Set(seen.flat().map(([key]) => key)).size).toBe(seen.flat().length)
        },
      ),
      { numRuns: 40 },
    )
  })

  test("the user's partition decides, and gets the key that was emitted", () => {
    const partition = (key: string, partitions: number): number => key.length % partitions
    fc.assert(
      fc.property(tasksOf(fc.nat()), fc.boolean(), budgets, (tasks, combined, budgetBytes) => {
        const combine = combined ? (a: unknown, b: unknown) => (a as number) + (b as number) : undefined
        shuffle(tasks, { partitions: 4, partition, budgetBytes, combine }).forEach((part, index) => {
          expect(part.map(([key]) => partition(key, 4))).toEqual(part.map(() => index))
        })
      }),
      { numRuns: 40 },
    )
  })

  test.each([-1, 4, 1.5, NaN])('a partition of %s is refused before anything is written', (partition) => {
    expect(() => shuffle([[['a', 1]]], { partitions: 4, partition: () => partition })).toThrow(
      expect.objectContaining({ code: 'BAD_PARTITION' }),
    )
  })
})

describe('combine (MapReduce §4.3)', () => {
  const sum = (a: unknown, b: unknown): unknown => (a as number) + (b as number)
  const total = (part: [string, unknown[]][]): [string, number][] =>
    part.map(([key, all]) => [key, (all as number[]).reduce((a, b) => a + b, 0)])

  test('numbers, any budget: the sums are those without a combiner', () => {
    fc.assert(
      fc.property(tasksOf(fc.integer()), budgets, (tasks, budgetBytes) => {
        const [part] = shuffle(tasks, { budgetBytes, combine: sum })
        expect(total(part!)).toEqual(total(grouped(tasks.flat())))
      }),
      { numRuns: 50 },
    )
  })

  test('text and numbers mixed: each value is combined once, however they are kept', () => {
    const join = (a: unknown, b: unknown): unknown =>
      typeof a === 'number' && typeof b === 'number' ? a + b : `${String(a)}|${String(b)}`
    const weigh = (value: unknown): number =>
      String(value)
        .split('|')
        .reduce((s, part) => s + Number(part), 0)
    fc.assert(
      fc.property(tasksOf(fc.oneof(fc.nat(9), fc.nat(9).map(String))), budgets, (tasks, budgetBytes) => {
        const [part] = shuffle(tasks, { budgetBytes, combine: join })
        const weights = (groups: [string, unknown[]][]): [string, number][] =>
          groups.map(([key, all]) => [key, all.reduce<number>((s, v) => s + weigh(v), 0)])
        expect(weights(part!)).toEqual(weights(grouped(tasks.flat())))
      }),
      { numRuns: 50 },
    )
  })

  test('with room for all, one pair a key leaves the map task', () => {
    const output = new MapOutput<string, number>({
      files: new MemoryFiles(),
      path: 'map',
      partitions: 3,
      combine: (a, b) => a + b,
    })
    for (let i = 0; i < 10_000; i++) output.emit(`key ${i % 100}`, 1)
    expect(output.finish().records).toBe(100)
  })

  test('a combiner that gives the key sees the key of its values', () => {
    const combine = (a: unknown, b: unknown, key: string): unknown => {
      expect([a, b].map((v) => String(v).slice(0, key.length))).toEqual([key, key])
      return a
    }
    shuffle([['x', 'yy', 'x', 'zzz', 'yy'].map((key, i): Pair => [key, `${key}${i}`])], { combine })
  })
})

describe('values of a key', () => {
  function groupsOf(pairs: readonly Pair[]): Groups<string, unknown> {
    const files = new MemoryFiles()
    const output = new MapOutput<string, unknown>({ files, path: 'map', partitions: 1 })
    for (const [key, value] of pairs) output.emit(key, value)
    const { path, spills } = output.finish()
    const sources = spills.map(([segment]) => ({ path, segment: segment! }))
    return new Groups(new ReduceInput({ files, sources, scratch: 's', budgetBytes: 1 }).run)
  }

  test('those that nobody took are passed over', () => {
    const groups = groupsOf([
      ['a', 1],
      ['a', 2],
      ['a', 6],
      ['b', 3],
      ['b', 4],
      ['c', 5],
    ])
    const seen: unknown[] = []
    while (groups.next())
      for (const value of groups.values) {
        seen.push([groups.key, value])
        break
      }
    expect(seen).toEqual([
      ['a', 1],
      ['b', 3],
      ['c', 5],
    ])
  })

  test('a second time through is refused, and so is a late one: they are gone', () => {
    const groups = groupsOf([
      ['a', 1],
      ['b', 2],
    ])
    groups.next()
    const { values: ofA } = groups
    expect([...ofA]).toEqual([1])
    expect(() => [...ofA]).toThrow('once')
    groups.next()
    const late = groups.values[Symbol.iterator]()
    groups.next()
    expect(() => late.next()).toThrow('end with the reduce')
  })
})

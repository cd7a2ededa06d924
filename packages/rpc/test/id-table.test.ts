import { expect, test } from 'vitest'
import { IdTable, type Numbered } from '../src/id-table.ts'
import { seededRandom } from '../src/index.ts'

interface Thing extends Numbered<Thing> {
  readonly id: number
}

test.each([
  ['that count up', (next: number) => next],
  ['of which many share their place', (next: number) => next * 64],
  ['beyond 2^32', (next: number) => 2 ** 32 + next * 7],
])('with ids %s a table holds what a Map would, however long some stay', (_ids, idOf) => {
  const random = seededRandom(3)
  const table = new IdTable<Thing>()
  const naive = new Map<number, Thing>()
  for (let step = 1; step <= 5_000; step++) {
    const wanted = step % 2_000 < 1_000 ? 200 : 10 // fills, then empties
    if (naive.size < wanted && random.next() < 0.6) {
      const thing: Thing = { id: idOf(step), sameSlot: undefined }
      table.add(thing)
      naive.set(thing.id, thing)
    } else {
      const things = [...naive.values()]
      const thing = things[random.integer(0, things.length - 1)]
      if (thing === undefined) continue
      naive.delete(thing.id)
      expect(table.delete(thing)).toBe(true)
      expect(table.delete(thing)).toBe(false)
    }
    if (table.size !== naive.size) expect(table.size).toBe(naive.size)
    const asked = idOf(random.integer(1, step))
    if (table.get(asked) !== naive.get(asked)) expect(table.get(asked)).toBe(naive.get(asked))
  }
  for (const [id, thing] of naive) expect(table.get(id)).toBe(thing)
  expect(table.values()).toEqual([...naive.values()].sort((a, b) => a.id - b.id))
  table.clear()
  expect(table.values()).toEqual([])
})

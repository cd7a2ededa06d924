import { expect, test } from 'vitest'
import { CallTable } from '../src/call-table.ts'
import { seededRandom } from '../src/index.ts'

interface Call {
  readonly id: number
}

test('a table finds what is in flight and nothing else, as a Map would, however long some calls take', () => {
  const random = seededRandom(3)
  const table = new CallTable<Call>()
  const naive = new Map<number, Call>()
  let next = 1
  for (let step = 0; step < 10_000; step++) {
    const wanted = step % 2_000 < 1_000 ? 300 : 10 // grows, then empties but for the slow ones
    if (naive.size < wanted && random.next() < 0.6) {
      const call = { id: table.freeId(next) }
      expect(call.id).toBeGreaterThanOrEqual(next)
      expect(naive.has(call.id)).toBe(false)
      next = call.id + 1
      table.add(call)
      naive.set(call.id, call)
    } else if (naive.size > 0) {
      const fast = [...naive.values()].filter(({ id }) => id % 97 !== 0 || id < next - 1_000)
      const call = fast[random.integer(0, Math.max(fast.length - 1, 0))]
      if (call === undefined) continue
      table.delete(call)
      table.delete(call) // twice does nothing
      naive.delete(call.id)
      expect(table.get(call.id)).toBeUndefined()
    }
    expect(table.size).toBe(naive.size)
    const asked = random.integer(Math.max(next - 500, 1), next)
    expect(table.get(asked)).toBe(naive.get(asked))
  }
  const inOrder = [...naive.values()].sort((a, b) => a.id - b.id)
  expect(table.takeAll()).toEqual(inOrder)
  expect(table.size).toBe(0)
})

test('ids past 2^32 find their places as well', () => {
  const table = new CallTable<Call>()
  const first = 2 ** 32 + 5
  for (let i = 0; i < 100; i++) table.add({ id: table.freeId(first + i) })
  expect(table.get(first + 99)?.id).toBe(first + 99)
  expect(table.get(5)).toBeUndefined()
})

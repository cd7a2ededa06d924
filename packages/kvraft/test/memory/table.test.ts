import fc from 'fast-check'
import { expect, test } from 'vitest'
import { NO_RECORD, type Pair } from '../../src/memory/records.ts'
import { Table } from '../../src/memory/table.ts'

/** A table and its naive twin; keys are texts of Latin-1. */
class Twins {
  readonly table = new Table()
  readonly model = new Map<string, string>()
  revision = 0

  put(key: string, value: string): void {
    this.table.put(pair(key, value), ++this.revision)
    this.model.set(key, value)
  }

  append(key: string, value: string): void {
    this.table.append(pair(key, value), ++this.revision)
    this.model.set(key, (this.model.get(key) ?? '') + value)
  }

  remove(key: string): void {
    const record = this.find(key)
    const wasThere = this.model.delete(key)
    if (wasThere !== (record !== NO_RECORD))
      throw new Error(`${key}: there ${String(wasThere)}, record ${record}`)
    if (!wasThere) return
    this.revision++
    this.table.remove(record)
  }

  find(key: string): number {
    return this.table.find(bytesOf(key), key.length)
  }

  sorted(): [string, string][] {
    return [...this.model].sort(([a], [b]) => (a < b ? -1 : 1))
  }

  inOrder(): [string, string][] {
    const found: [string, string][] = []
    for (let at = 0, record = this.table.at(0); record !== NO_RECORD; record = this.table.at(at)) {
      found.push([textOf(this.table.key(record)), textOf(this.table.value(record))])
      at = this.table.after(at)
    }
    return found
  }
}

/** As toEqual, which takes a second for 20 000 pairs. */
function expectSame(twins: Twins): void {
  const [found, expected] = [twins.inOrder(), twins.sorted()]
  if (JSON.stringify(found) !== JSON.stringify(expected)) expect(found).toEqual(expected)
}

const anyKey = fc.oneof(
  fc.constantFrom('a', 'b', 'ab', 'a\0', 'ÿ', 'aÿ'),
  fc.integer({ min: 0, max: 40 }).map((n) => `key${n}`),
)
const anyValue = fc.oneof(
  fc.string({ maxLength: 12 }).map((text) => text.replace(/[^ -~]/g, '.')),
  fc.integer({ min: 0, max: 10_000 }).map((length) => 'v'.repeat(length)),
)
const anyStep = fc.oneof(
  fc.record({ op: fc.constant('put' as const), key: anyKey, value: anyValue }),
  fc.record({ op: fc.constant('append' as const), key: anyKey, value: anyValue }),
  fc.record({ op: fc.constant('remove' as const), key: anyKey }),
)
const anyMoment = fc.oneof(
  { weight: 8, arbitrary: anyStep },
  {
    weight: 2,
    arbitrary: fc.record({ op: fc.constant('draw' as const), count: fc.integer({ min: 1, max: 8 }) }),
  },
  { weight: 1, arbitrary: fc.record({ op: fc.constant('freeze' as const) }) },
)

test('keys are found and stand in order, and views show their moment, whatever changes while they are drawn', () => {
  fc.assert(
    fc.property(fc.array(anyMoment, { maxLength: 120 }), (moments) => {
      const twins = new Twins()
      let view = twins.table.freeze(0)
      let expected: [string, string][] = []
      let drawn: [string, string][] = []
      let open = true
      const draw = (count: number): void => {
        if (!open) return
        open = view.draw((record) => {
          drawn.push([textOf(twins.table.key(record)), textOf(twins.table.value(record))])
          return --count > 0
        })
      }
      for (const moment of moments) {
        if (moment.op === 'draw') draw(moment.count)
        else if (moment.op === 'freeze') {
          view = twins.table.freeze(twins.revision)
          ;[expected, drawn, open] = [twins.sorted(), [], true]
        } else if (moment.op === 'remove') twins.remove(moment.key)
        else twins[moment.op](moment.key, moment.value)
      }
      while (open) draw(3)
      expect(drawn).toEqual(expected)
      expect(twins.inOrder()).toEqual(twins.sorted())
      for (const [key] of twins.model) expect(textOf(twins.table.key(twins.find(key)))).toBe(key)
      expect(twins.table.count).toBe(twins.model.size)
      // What the views kept is given back with the changes that follow.
      for (let n = 0; n < 400; n++) twins.put('a', String(n))
      expect(twins.table.records.count).toBe(twins.model.size)
    }),
    { numRuns: 250 },
  )
})

test('20 000 keys come, change and go in any order: leaves split and merge, buckets split, nothing is lost', () => {
  const twins = new Twins()
  const key = (n: number): string => `k${(n * 7919) % 20_011}`
  for (let n = 0; n < 20_000; n++) twins.put(key(n), `v${n}`)
  expectSame(twins)
  for (let n = 0; n < 20_000; n++) if (n % 50 !== 0) twins.remove(key(n))
  expectSame(twins)
  for (let n = 0; n < 5000; n++) twins.put(key(n), `w${n}`)
  expectSame(twins)
  const wrong = [...twins.model].filter(
    ([key, value]) => textOf(twins.table.value(twins.find(key))) !== value,
  )
  expect(wrong).toEqual([])
})

test('a walk begins at the first key that does not come before the one sought', () => {
  const twins = new Twins()
  for (let n = 0; n < 2000; n += 2) twins.put(String(n).padStart(4, '0'), '')
  for (let n = 0; n < 2000; n++) {
    const record = twins.table.at(twins.table.seek(bytesOf(String(n).padStart(4, '0'))))
    const expected = n + (n % 2)
    expect(record === NO_RECORD ? 2000 : Number(textOf(twins.table.key(record)))).toBe(expected)
  }
})

test('a view keeps what it needs under any record number, the very first too', () => {
  const twins = new Twins()
  twins.put('first', '')
  twins.put('b', 'old')
  // Its number, 0, is what the view gets for the old state of the other.
  twins.remove('first')
  const view = twins.table.freeze(twins.revision)
  twins.put('b', 'new')
  twins.append('b', 'er')
  const drawn: string[] = []
  view.draw((record) => drawn.push(textOf(twins.table.value(record))) > 0)
  expect(drawn).toEqual(['old'])
  expect(twins.inOrder()).toEqual([['b', 'newer']])
})

test('a view that is given up gives its records back bit by bit, with each change some', () => {
  const twins = new Twins()
  for (let n = 0; n < 1000; n++) twins.put(`key${n}`, 'old')
  const view = twins.table.freeze(twins.revision)
  for (let n = 0; n < 1000; n++) twins.put(`key${n}`, 'new')
  expect(twins.table.records.count).toBe(2000)
  view.end()
  twins.put('one more', '')
  expect(twins.table.records.count).toBe(2001 - 8)
  for (let n = 0; n < 125; n++) twins.put('one more', '')
  expect(twins.table.records.count).toBe(1001)
})

function pair(key: string, value: string): Pair {
  return { bytes: bytesOf(key + value), keyLength: key.length }
}

function bytesOf(text: string): Uint8Array {
  return Uint8Array.from(text, (letter) => letter.charCodeAt(0))
}

function textOf(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('latin1')
}

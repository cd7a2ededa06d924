/** The log with its cache and term runs, against an array of everything. */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { recordBytes, type Entry } from '../../../src/entry.ts'
import { Log } from '../../../src/core/log.ts'
import { entry } from '../support/one-server.ts'

const membership = new Uint8Array()

type Action =
  | { readonly type: 'append'; readonly count: number; readonly newTerm: boolean }
  | { readonly type: 'truncate' | 'evict' | 'compact' | 'restore'; readonly share: number }

const actions: fc.Arbitrary<Action[]> = fc.array(
  fc.oneof(
    fc.record({
      type: fc.constant('append' as const),
      count: fc.integer({ min: 1, max: 8 }),
      newTerm: fc.boolean(),
    }),
    fc.record({
      type: fc.constantFrom('truncate' as const, 'evict' as const, 'compact' as const, 'restore' as const),
      share: fc.double({ min: 0, max: 1, noNaN: true }),
    }),
  ),
  { maxLength: 40 },
)

/** Everything that the log should know, kept the simplest way. */
class NaiveLog {
  entries: Entry[] = []
  firstIndex = 1
  base: { index: number; term: number } = { index: 0, term: 0 }
  lastIndex = 0

  termAt(index: number): number | undefined {
    if (index === this.base.index) return this.base.term
    return this.entries.find((one) => one.index === index)?.term
  }
  forgetTo(index: number): void {
    this.base = { index, term: this.termAt(index) ?? -1 }
    this.firstIndex = index + 1
    this.entries = this.entries.filter((one) => one.index > index)
  }
}

test('the log says of every index what an array of all entries says, whatever is done to it', () => {
  fc.assert(
    fc.property(actions, (all) => {
      const log = new Log({ snapshot: null, firstIndex: 1, lastIndex: 0, terms: [], lastTime: 0 })
      const naive = new NaiveLog()
      let term = 1
      for (const action of all) {
        term = act(log, naive, action, term)
        compare(log, naive)
      }
    }),
    { numRuns: 100 },
  )
})

function act(log: Log, naive: NaiveLog, action: Action, term: number): number {
  if (action.type === 'append') {
    const next = action.newTerm ? term + 1 : term
    const entries = Array.from({ length: action.count }, (_, i) => entry(naive.lastIndex + 1 + i, next))
    log.append(entries)
    naive.entries.push(...entries)
    naive.lastIndex += entries.length
    return next
  }
  const length = naive.lastIndex - naive.firstIndex + 1
  const index = naive.firstIndex + Math.floor(action.share * Math.max(0, length - 1))
  if (action.type === 'evict') log.evict(index, 200, 10)
  else if (action.type === 'restore' && action.share < 0.2) {
    log.restore({ index: naive.lastIndex + 5, term: term + 1, membership })
    naive.base = { index: naive.lastIndex + 5, term: term + 1 }
    naive.entries = []
    naive.lastIndex += 5
    naive.firstIndex = naive.lastIndex + 1
    return term + 1
  } else if (length > 0 && action.type === 'truncate') {
    log.truncateFrom(index)
    naive.entries = naive.entries.filter((one) => one.index < index)
    naive.lastIndex = index - 1
    return term + 1
  } else if (length > 0 && action.type === 'compact') {
    log.compact({ index, term: naive.termAt(index) ?? 0, membership }, index)
    naive.forgetTo(index)
  }
  return term
}

function compare(log: Log, naive: NaiveLog): void {
  expect([log.firstIndex, log.lastIndex]).toEqual([naive.firstIndex, naive.lastIndex])
  expect(log.lastTerm).toBe(naive.termAt(naive.lastIndex))
  for (let index = Math.max(0, naive.firstIndex - 3); index <= naive.lastIndex + 2; index++)
    expect(log.termAt(index)).toBe(naive.termAt(index))
  for (const { index, term } of naive.entries) {
    expect(log.termStart(index)).toBe(naive.entries.find((one) => one.term === term)?.index)
    expect(log.lastIndexOfTerm(term, index)).toBe(index)
  }
  const inMemory = naive.entries.filter(({ index }) => index >= log.memoryFirst)
  expect(log.memoryFirst).toBeGreaterThanOrEqual(log.firstIndex)
  if (inMemory.length > 0) expect(log.slice(log.memoryFirst, log.lastIndex)).toEqual(inMemory)
  expect(log.memoryBytes).toBe(inMemory.reduce((sum, one) => sum + recordBytes(one), 0))
}

test('a slice holds entries up to its bytes, and always one', () => {
  const log = new Log({ snapshot: null, firstIndex: 1, lastIndex: 0, terms: [], lastTime: 0 })
  log.append([1, 2, 3].map((index) => entry(index, 1)))
  const bytes = recordBytes(entry(1, 1))
  expect(log.slice(1, 3, 1).map(({ index }) => index)).toEqual([1])
  expect(log.slice(1, 3, 2 * bytes).map(({ index }) => index)).toEqual([1, 2])
  expect(log.slice(1, 3, 2 * bytes + 1).map(({ index }) => index)).toEqual([1, 2])
  expect(log.slice(2, 3).map(({ index }) => index)).toEqual([2, 3])
})

test('the last entry of a term is found below a limit, and 0 when the log has none', () => {
  const terms = [1, 1, 3, 3, 5]
  const log = new Log({ snapshot: null, firstIndex: 1, lastIndex: 0, terms: [], lastTime: 0 })
  log.append(terms.map((term, at) => entry(at + 1, term)))
  expect([1, 2, 3, 4, 5, 6].map((term) => log.lastIndexOfTerm(term, 5))).toEqual([2, 0, 4, 0, 5, 0])
  expect(log.lastIndexOfTerm(3, 3)).toBe(3)
  expect(log.lastIndexOfTerm(5, 4)).toBe(0)
})

test('after a restart the log knows terms from storage and holds nothing in memory', () => {
  const log = new Log({
    snapshot: { index: 4, term: 2, membership },
    firstIndex: 3,
    lastIndex: 6,
    terms: [
      { first: 3, term: 2 },
      { first: 5, term: 4 },
    ],
    lastTime: 9,
  })
  expect([2, 3, 4, 5, 6, 7].map((index) => log.termAt(index))).toEqual([undefined, 2, 2, 4, 4, undefined])
  expect(log.memoryFirst).toBe(7)
  log.append([entry(7, 4)])
  expect(log.slice(7, 7)).toHaveLength(1)
})

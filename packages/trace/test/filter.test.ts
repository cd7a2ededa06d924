import type { TraceEvent } from '@lab/rpc'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { FilterError, describe, parseFilter } from '../src/index.ts'

/** Times are milliseconds. */
const story: readonly TraceEvent[] = [
  { t: 0, n: 'n1', k: 'start', term: 0 },
  { t: 1, n: 'n1', k: 'role', role: 'leader', term: 1, why: 'a majority voted for it' },
  { t: 2, n: 'n1', k: 'send', m: 'a>1', to: 'n2', type: 'AppendEntries', term: 1, entries: 0 },
  { t: 3, n: 'n2', k: 'recv', m: 'a>1', from: 'n1', type: 'AppendEntries', term: 1, entries: 0 },
  { t: 3, n: 'n2', k: 'send', m: 'a<1', to: 'n1', type: 'AppendEntriesReply', term: 1, c: 4 },
  {
    t: 4,
    n: 'n1',
    k: 'send',
    m: 'a>2',
    to: 'n2',
    type: 'AppendEntries',
    term: 1,
    entries: 3,
    first: 5,
    last: 7,
  },
  { t: 5, n: 'n1', k: 'drop', m: 'a>2', to: 'n2', type: 'message', why: 'lost' },
  { t: 6, n: 'n1', k: 'append', first: 5, last: 7, term: 1 },
  { t: 7, n: 'n1', k: 'fault', what: 'crash' },
  { t: 8, n: 'n2', k: 'role', role: 'leader', term: 4, why: 'a majority voted for it' },
  { t: 9, n: 'n2', k: 'call', client: 'c1', op: 'put', key: 'x' },
  { t: 40, n: 'n2', k: 'fault', what: 'crash' },
].map((event, at) => ({ ...event, i: at + 1, t: event.t * 1000 }) as TraceEvent)

function numbers(text: string): number[] {
  const watch = parseFilter(text)()
  return story.filter((event) => watch({ time: event.t, life: 1, event })).map(({ i }) => i)
}

const cases: readonly (readonly [string, readonly number[]])[] = [
  ['', story.map(({ i }) => i)],
  ['term>=4', [10]],
  ['term<1', [1]],
  ['term!=1 kind=role', [10]],
  ['node=n2 kind=role,call', [10, 11]],
  ['node=n2 drop', [7]],
  ['-node=n1,n2', []],
  ['type=AppendEntries', [3, 4, 6]],
  ['type~append', [3, 4, 5, 6]],
  ['index=6', [6, 8]],
  ['client=c1 key=x', [11]],
  ['why~"majority voted"', [2, 10]],
  ['heartbeat', [3, 4, 5]],
  ['topic=message -heartbeat', [6]],
  ['election', [2, 10]],
  ['"leader, term 4"', [10]],
  ['after:"crash 1" within:2ms', [9, 10, 11]],
  ['after:crash before:"crash 2"', [9, 10, 11]],
  ['after:"election 2"', [10, 11, 12]],
  ['after:"event 11"', [11, 12]],
  ['within:1ms', [1, 2]],
  ['topic=fault', [7, 9, 12]],
]

for (const [text, expected] of cases)
  test(`the filter ${text === '' ? 'of no words' : text} lets through what it says`, () => {
    expect(numbers(text)).toEqual(expected)
  })

const mistakes: readonly (readonly [text: string, position: number, message: string])[] = [
  ['node=n1 key="x', 12, 'this quote is never closed'],
  ['term>=four', 6, 'term>= takes a number'],
  ['node=', 5, 'a value is missing here'],
  ['node=n1,', 8, 'a value is missing here'],
  ['before:', 7, 'a value is missing here'],
  ['within:soon', 7, 'a time is written as 50ms, 2s or 1m'],
  ['-after:x', 0, 'after: cannot be negated'],
  ['during:x', 0, '"during:" is unknown'],
  ['after:x after:y', 14, 'after: stands here a second time'],
  ['"a"b', 3, 'a blank is wanted between two words'],
]

for (const [text, position, message] of mistakes)
  test(`the filter ${text} is refused, with the place of the mistake`, () => {
    const error = ((): unknown => {
      try {
        return parseFilter(text)
      } catch (thrown) {
        return thrown
      }
    })()
    expect(error).toBeInstanceOf(FilterError)
    expect(error).toMatchObject({ position, code: 'BAD_FILTER' })
    expect((error as Error).message).toContain(message)
    expect((error as Error).message.split('\n')[2]).toBe(`  ${' '.repeat(position)}^`)
  })

test('any text is a filter or a FilterError, and never anything else', () => {
  fc.assert(
    fc.property(
      fc.string({ unit: fc.constantFrom(...'nk=:,"<>~!- 1ms'.split('')), maxLength: 12 }),
      (text) => {
        try {
          expect(numbers(text).length).toBeLessThanOrEqual(story.length)
        } catch (thrown) {
          expect(thrown).toBeInstanceOf(FilterError)
        }
      },
    ),
  )
})

test('a call as the simulator tells of it has the fields of its operation, and its node for a client', () => {
  const call: TraceEvent = {
    i: 1,
    t: 0,
    n: 'c2',
    k: 'call',
    id: 1,
    op: { op: 'write', key: 'y', value: 'v' },
  }
  const answer: TraceEvent = { i: 2, t: 1, n: 'c2', k: 'return', id: 1, outcome: 'ok' }
  const shown = (text: string): number[] => {
    const watch = parseFilter(text)()
    return [call, answer].filter((event) => watch({ time: event.t, life: 1, event })).map(({ i }) => i)
  }
  expect(shown('client=c2')).toEqual([1, 2])
  expect(shown('client=c2 op=write key=y')).toEqual([1])
  expect(shown('key=x')).toEqual([])
  expect(describe(call)).toBe('call write key=y value=v id=1')
})

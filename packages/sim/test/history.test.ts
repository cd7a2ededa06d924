import { expect, test } from 'vitest'
import { HistoryError, formatHistory, parseHistory, type Operation } from '@lab/sim'

const operations: Operation[] = [
  { id: 1, client: 'c1', op: { op: 'put' }, call: 1, return: 3, outcome: 'ok', result: null },
  {
    id: 2,
    client: 'c2',
    op: { op: 'get' },
    call: 2,
    return: Infinity,
    outcome: 'unknown',
    result: undefined,
  },
  { id: 3, client: 'c1', op: { op: 'get' }, call: 4, return: 5, outcome: 'fail', result: undefined },
]

test('a history comes back as it was written', () => {
  const text = formatHistory(operations, { model: 'kv', what: 'a test' })
  expect(parseHistory(text)).toEqual({ model: 'kv', operations })
})

test('without times the order of the lines counts, and a call without an end is unknown', () => {
  const { operations: read } = parseHistory(
    '{"type":"invoke","id":"a","op":1}\n{"type":"invoke","id":"b","op":2}\n\n{"type":"ok","id":"a","result":7}\n',
  )
  expect(read).toMatchObject([
    { call: 1, return: 4, outcome: 'ok', result: 7 },
    { call: 2, return: Infinity, outcome: 'unknown' },
  ])
})

test.each([
  ['{"type":"invoke","id":1,"op":1}\n{"type":"invoke","id":1,"op":1}', 'line 2: the id 1 is used'],
  ['{"type":"ok","id":1}', 'line 1: there is no call of id 1'],
  ['{"type":"invoke","id":1,"op":1,"t":5}\n{"type":"ok","id":1,"t":4}', 'line 2: it ends at 4, before'],
  [
    '{"type":"invoke","id":1,"op":1}\n{"type":"fail","id":1}\n{"type":"ok","id":1}',
    'line 3: that call has ended',
  ],
  ['{"type":"invoke","id":1}', 'line 1: an invoke needs an "op"'],
  ['{"type":"begin","id":1}', 'line 1: "type" is invoke, ok, fail or unknown, not "begin"'],
  ['{"v":2}', 'line 1: it is of version 2'],
  ['hello', 'line 1: it is no JSON'],
  ['[1]', 'line 1: it is no object'],
  ['{"type":"invoke","id":1,"op":1,"t":"now"}', 'line 1: "t" is a number'],
])('%s is refused, with the line and the reason', (text, why) => {
  expect(() => parseHistory(text)).toThrow(HistoryError)
  expect(() => parseHistory(text)).toThrow(why)
})

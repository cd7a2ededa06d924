import type { RequestDurations } from '@lab/raft'
import { expect, test } from 'vitest'
import { commandCodec, operationDurations, queryCodec, type Command, type Query } from '../src/index.ts'

const bytes = Uint8Array.of(1)
const pair = { key: bytes, value: bytes }
const commands: readonly Command[] = [
  { op: 'put', ...pair },
  { op: 'put', ...pair, ttl: 5 },
  { op: 'append', ...pair },
  { op: 'delete', key: bytes },
  { op: 'cas', by: 'version', expected: 0, ...pair },
  { op: 'expire' },
]
const queries: readonly Query[] = [
  { op: 'get', key: bytes },
  { op: 'scan', from: bytes, to: bytes, limit: 1, keysOnly: false },
]

test('requests are told by the names of operations, each once, whichever bytes it has in the log', () => {
  const ms = { bounds: [1, 2], counts: [1, 0, 2], count: 3, sum: 9 }
  const alike = { outcome: 'ok', ms }
  const requests: RequestDurations[] = [
    ...commands.map((command) => ({
      ...{ type: 'command' as const, firstByte: commandCodec.encode(command)[0] ?? null },
      ...alike,
    })),
    ...queries.map((query) => ({
      ...{ type: 'query' as const, firstByte: queryCodec.encode(query)[0] ?? null },
      ...alike,
    })),
    { type: 'session', firstByte: null, ...alike },
    { type: 'command', firstByte: 99, outcome: 'BUSY', ms },
    { type: 'query', firstByte: null, outcome: 'BUSY', ms },
  ]
  const told = operationDurations({ requests })
  expect(told.map(({ operation, outcome, ms: { count } }) => [operation, outcome, count])).toEqual([
    ['put', 'ok', 6],
    ...['append', 'delete', 'cas', 'expire', 'get', 'scan', 'session'].map((name) => [name, 'ok', 3]),
    ['other', 'BUSY', 6],
  ])
  expect(told[0]?.ms).toEqual({ bounds: [1, 2], counts: [2, 0, 4], count: 6, sum: 18 })
})

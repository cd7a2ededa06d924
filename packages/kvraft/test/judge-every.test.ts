/** The judge of the scenario `kv-all` is a checker of its own: each kind of lie, in an otherwise honest history, must be found. */
import type { Operation } from '@lab/sim'
import { describe, expect, test } from 'vitest'
import type { EveryOp, EveryResult, TextEntry, Told } from '../src/testing/sim/every-op.ts'
import { judgeEvery } from '../src/testing/sim/judge-every.ts'
import type { Change } from '../src/testing/sim/timeline.ts'

const change = (revision: number, type: string, key: string, value: string, version: number): Change => ({
  ...{ type, revision, version, key, value },
})
const entry = (value: string, version: number, changed: number): TextEntry => ({ value, version, changed })

const changes: readonly Change[] = [
  change(1, 'put', 's1', 'A', 1),
  change(2, 'append', 's1', 'B', 2),
  change(3, 'put', 's2', 'C', 1),
  change(4, 'delete', 's1', '', 0),
  change(5, 'put', 's3', 'D', 1),
  change(6, 'expire', 's3', '', 0),
]

type Line = readonly [op: EveryOp, result: EveryResult, call: number, end: number]
const put = (key: string, value: string, ttl?: number): EveryOp =>
  ttl === undefined ? { op: 'put', key, value } : { op: 'put', key, value, ttl }
const told = (list: readonly Change[]): Told[] => list.map((one, at) => ({ ...one, at: 100 + 50 * at }))
const honest: readonly Line[] = [
  [put('s1', 'A'), { revision: 1, version: 1 }, 0, 10],
  [{ op: 'append', key: 's1', value: 'B' }, { revision: 2, version: 2 }, 20, 30],
  [{ op: 'get', key: 's1' }, { revision: 2, entry: entry('AB', 2, 2) }, 35, 40],
  [
    { op: 'txn', if: [{ key: 's1', exists: true }], then: [{ op: 'put', key: 's2', value: 'C' }], else: [] },
    { revision: 3, succeeded: true, results: [1] },
    ...([50, 60] as const),
  ],
  [
    { op: 'scan', limit: 1 },
    { revision: 3, page: [['s1', entry('AB', 2, 2)]], more: true },
    ...([65, 70] as const),
  ],
  [{ op: 'delete', key: 's1' }, { revision: 4, deleted: true }, 80, 90],
  [put('s3', 'D', 200), { revision: 5, version: 1 }, 95, 99],
  [{ op: 'watch', from: 'start', forMs: 1 }, { revision: 6, after: 0, told: told(changes) }, 96, 400],
]

/** The honest history with one line instead of another. @param at from 0 */
function lie(
  at: number,
  instead: Partial<{ result: EveryResult; call: number; end: number }>,
): readonly Line[] {
  return honest.map(([op, result, call, end], line) =>
    line === at
      ? [
          op,
          'result' in instead ? (instead.result ?? null) : result,
          instead.call ?? call,
          instead.end ?? end,
        ]
      : [op, result, call, end],
  )
}

function judge(lines: readonly Line[], truth: readonly Change[] = changes): void {
  const operations = lines.map(([op, result, call, end], at): Operation<EveryOp, EveryResult> => ({
    ...{ id: at + 1, client: `c${String(at)}`, op, call, return: end, outcome: 'ok', result },
  }))
  judgeEvery({ changes: truth, operations, found: new WeakMap(), clocksLie: false })
}

test('an honest history passes', () => {
  expect(() => {
    judge(honest)
  }).not.toThrow()
})

const watched = (list: readonly Change[], revision = 6): readonly Line[] =>
  lie(7, { result: { revision, after: 0, told: told(list) } })

describe('a lie is found', () => {
  test.each<[what: string, lines: readonly Line[], says: RegExp]>([
    [
      'a get of an older value',
      lie(2, { result: { revision: 2, entry: entry('A', 1, 1) } }),
      /was told .* it was/,
    ],
    [
      'an older revision after a newer one',
      lie(2, { result: { revision: 1, entry: entry('A', 1, 1) } }),
      /stands at revision 1/,
    ],
    ['a revision that nobody made', lie(2, { result: { revision: 9, entry: null } }), /saw revision 9/],
    [
      'a scan that leaves out that there is more',
      lie(4, { result: { revision: 3, page: [['s1', entry('AB', 2, 2)]], more: false } }),
      /c4's scan/,
    ],
    [
      'a transaction that failed though its condition held',
      lie(3, { result: { revision: 3, succeeded: false, results: [] } }),
      /its conditions held/,
    ],
    [
      'a delete that found nothing where there was a key',
      lie(5, { result: { revision: 2, deleted: false } }),
      /was told null/,
    ],
    [
      'a write behind one that was called after it had returned',
      lie(5, { call: 0, end: 5 }),
      /stands at revision/,
    ],
    ['a key gone before its time', lie(6, { call: 190, end: 195 }), /s3 was gone at 350/],
    [
      'a watch that leaves out a change',
      watched(changes.filter(({ revision }) => revision !== 3)),
      /leaves out revision 3/,
    ],
    [
      'a watch that tells a change twice',
      watched([...changes.slice(0, 2), ...changes.slice(1)]),
      /tells revision 2 twice/,
    ],
    [
      'a watch that goes back',
      watched([changes[1], changes[0], ...changes.slice(2)] as Change[]),
      /leaves out revision 1/,
    ],
    ['a watch that ends too early', watched(changes.slice(0, 4)), /ended at 4/],
    [
      'a watch that is ahead of the store',
      watched([...changes, change(7, 'put', 's1', 'Z', 1)], 7),
      /saw revision 7/,
    ],
    [
      'a watch that tells another value',
      watched([change(1, 'put', 's1', 'X', 1), ...changes.slice(1)]),
      /otherwise than it was/,
    ],
  ])('%s', (_, lines, says) => {
    expect(() => {
      judge(lines)
    }).toThrow(says)
  })

  test('a write that took effect twice, one that nobody asked for, and one that was said to have failed', () => {
    const again = [...changes, change(7, 'put', 's4', 'A', 1)]
    expect(() => {
      judge(honest, again)
    }).toThrow('A took effect twice')
    expect(() => {
      judge(honest, [...changes, change(7, 'put', 's4', 'Q', 1)])
    }).toThrow('which nobody asked for')
  })
})

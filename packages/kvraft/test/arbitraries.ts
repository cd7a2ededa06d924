import fc from 'fast-check'
import type { Command } from '../src/commands.ts'
import type { Scan } from '../src/queries.ts'
import type { Comparison, Operation, Relation } from '../src/txn.ts'

export const bytes = (minLength: number, maxLength: number): fc.Arbitrary<Uint8Array> =>
  fc.uint8Array({ minLength, maxLength })

/** Few keys, so that commands meet; one of them is not text. */
export const anyKey: fc.Arbitrary<Uint8Array> = fc.constantFrom(
  Uint8Array.of(0x61),
  Uint8Array.of(0x62),
  Uint8Array.of(0x61, 0x62),
  Uint8Array.of(0xff, 0x00),
)

/** Few values too, so that comparisons may hold. */
const anyValue = fc.oneof(
  bytes(0, 40),
  fc.constantFrom(Uint8Array.of(), Uint8Array.of(1), Uint8Array.of(1, 2)),
)
const anyTtl = fc.integer({ min: 1, max: 100 })
const anyNumber = fc.integer({ min: 0, max: 5 })

const put = fc.record(
  { op: fc.constant('put' as const), key: anyKey, value: anyValue, ttl: anyTtl },
  { requiredKeys: ['op', 'key', 'value'] },
)
const append = fc.record({ op: fc.constant('append' as const), key: anyKey, value: anyValue })
const remove = fc.record({ op: fc.constant('delete' as const), key: anyKey })
const get = fc.record({ op: fc.constant('get' as const), key: anyKey })

/** One key. */
export const anySimpleCommand = fc.oneof(put, append, remove)

const cas = fc.record(
  {
    ...{ op: fc.constant('cas' as const), by: fc.constantFrom('version' as const, 'changed' as const) },
    ...{ expected: anyNumber, key: anyKey, value: anyValue, ttl: anyTtl },
  },
  { requiredKeys: ['op', 'by', 'expected', 'key', 'value'] },
)

const is = fc.constantFrom<Relation[]>('equal', 'unequal', 'less', 'greater')
const comparison: fc.Arbitrary<Comparison> = fc.oneof(
  fc.record({
    ...{ key: anyKey, is, to: anyNumber },
    of: fc.constantFrom('version' as const, 'changed' as const),
  }),
  fc.record({ key: anyKey, is, of: fc.constant('value' as const), to: anyValue }),
)
const branch = fc
  .array(fc.oneof(put, append, remove, get) as fc.Arbitrary<Operation>, { maxLength: 5 })
  .map(withoutSecondChanges)
const txn = fc.record({
  ...{ op: fc.constant('txn' as const), compare: fc.array(comparison, { maxLength: 3 }) },
  ...{ then: branch, otherwise: branch },
})

export const anyCommand: fc.Arbitrary<Command> = fc.oneof(
  { weight: 4, arbitrary: anySimpleCommand },
  { weight: 2, arbitrary: cas },
  { weight: 2, arbitrary: txn },
  { weight: 1, arbitrary: fc.constant({ op: 'expire' as const }) },
)

export const anyScan: fc.Arbitrary<Scan> = fc.record({
  ...{
    op: fc.constant('scan' as const),
    from: fc.oneof(anyKey, bytes(0, 2)),
    to: fc.oneof(anyKey, bytes(0, 2)),
  },
  ...{ limit: fc.integer({ min: 1, max: 5 }), keysOnly: fc.boolean() },
})

export const counter: fc.Arbitrary<number> = fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER })

/** A branch changes each key once at most. */
function withoutSecondChanges(branch: readonly Operation[]): Operation[] {
  const changed = new Set<string>()
  return branch.filter(({ op, key }) => {
    if (op === 'get') return true
    const isFirst = !changed.has(key.join())
    changed.add(key.join())
    return isFirst
  })
}

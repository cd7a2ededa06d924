import { ProtocolError, type Codec } from '@lab/rpc'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { commandCodec } from '../src/commands.ts'
import { KEY_BYTES_MAX, VALUE_BYTES_MAX } from '../src/limits.ts'
import { answerCodec, queryCodec, type Answer, type Page, type Query } from '../src/queries.ts'
import { resultCodec, type Result } from '../src/results.ts'
import { KvStore } from '../src/store.ts'
import { anyCommand, anyKey, anyScan, bytes, counter } from './arbitraries.ts'

const anyEntry = fc.record(
  { version: counter, changed: counter, value: bytes(0, 100), expires: fc.integer({ min: 1 }) },
  { requiredKeys: ['version', 'changed', 'value'] },
)
const written = fc.record({ status: fc.constant('written' as const), revision: counter, version: counter })
const notFound = fc.record({ status: fc.constant('not-found' as const), revision: counter })
const got = fc.record({ status: fc.constant('got' as const), entry: fc.option(anyEntry, { nil: null }) })
const anyResult: fc.Arbitrary<Result> = fc.oneof(
  written,
  notFound,
  fc.record({ status: fc.constant('too-large' as const), revision: counter, valueBytes: counter }),
  fc.record({
    status: fc.constant('conflict' as const),
    revision: counter,
    version: counter,
    changed: counter,
  }),
  fc.record({ status: fc.constant('expired' as const), revision: counter, count: counter }),
  fc.record({
    ...{ status: fc.constant('txn' as const), revision: counter, succeeded: fc.boolean() },
    results: fc.array(fc.oneof(written, notFound, got), { maxLength: 5 }),
  }),
)
const anyQuery: fc.Arbitrary<Query> = fc.oneof(
  fc.record({ op: fc.constant('get' as const), key: anyKey }),
  anyScan,
)
const anyAnswer: fc.Arbitrary<Answer | Page> = fc.oneof(
  fc.record({ revision: counter, entry: fc.option(anyEntry, { nil: null }) }),
  fc.record({
    ...{ revision: counter, more: fc.boolean() },
    entries: fc.array(
      fc.tuple(anyKey, anyEntry).map(([key, entry]) => ({ key, ...entry })),
      { maxLength: 4 },
    ),
  }),
)

describe('a command', () => behavesAsCodec(commandCodec, anyCommand))
describe('a result', () => behavesAsCodec(resultCodec, anyResult))
describe('a query', () => behavesAsCodec(queryCodec, anyQuery))
describe('an answer', () => behavesAsCodec(answerCodec, anyAnswer))

function behavesAsCodec<T>(codec: Codec<T>, values: fc.Arbitrary<T>): void {
  test('comes back from its bytes as it was', () => {
    fc.assert(
      fc.property(values, (value) => {
        expect(codec.decode(codec.encode(value))).toEqual(value)
      }),
    )
  })

  test('is refused with a ProtocolError, or is what encode would write, whatever the bytes', () => {
    const nearMiss = fc
      .tuple(values, fc.nat(), fc.integer({ min: 0, max: 255 }))
      .map(([value, at, byte]) => flipped(codec.encode(value), at, byte))
    fc.assert(
      fc.property(fc.oneof(bytes(0, 64), nearMiss), (input) => {
        let value: T
        try {
          value = codec.decode(input)
        } catch (error) {
          expect(error).toBeInstanceOf(ProtocolError)
          return
        }
        expect(codec.encode(value)).toEqual(input)
      }),
      { numRuns: 2000 },
    )
  })
}

function flipped(input: Uint8Array, at: number, byte: number): Uint8Array {
  const output = input.slice(0, input.length - (at % 3 === 0 ? 1 : 0))
  if (output.length > 0) output[at % output.length] = byte
  return output
}

test('the store, which reads commands where they stand, takes exactly the bytes that the codec takes', () => {
  const nearMiss = fc
    .tuple(anyCommand, fc.nat(), fc.integer({ min: 0, max: 255 }))
    .map(([command, at, byte]) => flipped(commandCodec.encode(command), at, byte))
  const outcome = (work: () => unknown): string => {
    try {
      work()
      return 'taken'
    } catch (error) {
      return error instanceof ProtocolError ? 'refused' : String(error)
    }
  }
  fc.assert(
    fc.property(fc.oneof(bytes(0, 40), nearMiss), (input) => {
      const store = new KvStore()
      const applied = outcome(() => store.apply(input, { time: 1 }))
      expect(applied).toBe(outcome(() => commandCodec.decode(input)))
      if (applied === 'refused') expect(store.revision).toBe(0)
    }),
    { numRuns: 2000 },
  )
})

test('a key of no byte, or of more than 4 KiB, is refused before anything is kept of it', () => {
  for (const length of [0, KEY_BYTES_MAX + 1]) {
    const encoded = commandCodec.encode({ op: 'delete', key: new Uint8Array(length) })
    expect(() => commandCodec.decode(encoded)).toThrow(/1 to 4096 are accepted/)
  }
})

test('a value of more than 1 MiB is refused, one of exactly that is not', () => {
  const key = Uint8Array.of(1)
  const largest = commandCodec.encode({ op: 'put', key, value: new Uint8Array(VALUE_BYTES_MAX) })
  expect(commandCodec.decode(largest).op).toBe('put')
  const larger = commandCodec.encode({ op: 'put', key, value: new Uint8Array(VALUE_BYTES_MAX + 1) })
  expect(() => commandCodec.decode(larger)).toThrow(/1048576 are accepted/)
})

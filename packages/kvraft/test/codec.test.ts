import { ProtocolError, type Codec } from '@lab/rpc'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { commandCodec } from '../src/commands.ts'
import { KEY_BYTES_MAX, VALUE_BYTES_MAX } from '../src/limits.ts'
import { answerCodec, queryCodec, type Answer, type Query } from '../src/queries.ts'
import { resultCodec, type Result } from '../src/results.ts'
import { anyCommand, anyKey, bytes, counter } from './arbitraries.ts'

const anyResult: fc.Arbitrary<Result> = fc.oneof(
  fc.record({ status: fc.constant('written' as const), revision: counter, version: counter }),
  fc.record({ status: fc.constant('not-found' as const), revision: counter }),
  fc.record({ status: fc.constant('too-large' as const), revision: counter, valueBytes: counter }),
)
const anyQuery: fc.Arbitrary<Query> = fc.record({ op: fc.constant('get' as const), key: anyKey })
const anyEntry = fc.record({ version: counter, changed: counter, value: bytes(0, 100) })
const anyAnswer: fc.Arbitrary<Answer> = fc.record({
  revision: counter,
  entry: fc.option(anyEntry, { nil: null }),
})

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

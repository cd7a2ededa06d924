import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { compareKeys } from '../../src/data/compare.ts'
import {
  bigintKey,
  bytesKey,
  dateKey,
  descending,
  numberKey,
  textKey,
  tupleKey,
} from '../../src/data/keys.ts'
import { bytesValue, jsonValue, textValue } from '../../src/data/values.ts'
import type { KeyCodec } from '../../src/formats.ts'
import { plainJson } from './oracle.ts'

const text = fc.string({ unit: 'grapheme', maxLength: 8 })
const short = fc.string({ unit: fc.constantFrom('\0', '\x01', 'a', 'ÿ'), maxLength: 4 })
const number = fc.double({ noNaN: true }).map((n) => (n === 0 ? 0 : n))

const codePoints = (a: string, b: string): number => {
  const [left, right] = [Array.from(a), Array.from(b)]
  for (let i = 0; i < Math.min(left.length, right.length); i++) {
    const difference = left[i]!.codePointAt(0)! - right[i]!.codePointAt(0)!
    if (difference !== 0) return difference
  }
  return left.length - right.length
}
const plain = (a: number | bigint, b: number | bigint): number => (a < b ? -1 : a > b ? 1 : 0)

function keepsOrder<K>(codec: KeyCodec<K>, keys: fc.Arbitrary<K>, order: (a: K, b: K) => number): void {
  fc.assert(
    fc.property(keys, keys, (a, b) => {
      const [left, right] = [codec.encode(a), codec.encode(b)]
      expect(codec.decode(left)).toEqual(a)
      expect(Math.sign(compareKeys(left, right))).toBe(Math.sign(order(a, b)))
    }),
    { numRuns: 300 },
  )
}

describe('the bytes of keys are in the order of the keys', () => {
  test('text: the order of code points', () => keepsOrder(textKey, fc.oneof(text, short), codePoints))
  test('numbers: negative ones first, infinities last', () => keepsOrder(numberKey, number, plain))
  test('bigints of any size', () => keepsOrder(bigintKey, fc.bigInt(), plain))
  test('bytes', () => keepsOrder(bytesKey, fc.uint8Array({ maxLength: 6 }), compareKeys))
  test('dates', () =>
    keepsOrder(dateKey, fc.date({ noInvalidDate: true }), (a, b) => a.getTime() - b.getTime()))
  test('descending: the other way round, also between a key and its beginning', () =>
    keepsOrder(descending(textKey), fc.oneof(short, text), (a, b) => codePoints(b, a)))
  test('tuples: by the first part, then by the next, whatever bytes stand in them', () =>
    keepsOrder(
      tupleKey(textKey, descending(numberKey), textKey),
      fc.tuple(short, fc.constantFrom(-1, 0, 1, 256), short),
      (a, b) => codePoints(a[0], b[0]) || plain(b[1], a[1]) || codePoints(a[2], b[2]),
    ))

  test('text beyond U+FFFF comes after U+FFFF, unlike in JavaScript', () => {
    const [astral, last] = ['\u{10000}', '\uffff']
    expect(astral < last).toBe(true)
    expect(compareKeys(textKey.encode(astral), textKey.encode(last))).toBeGreaterThan(0)
  })
})

describe('keys that would come out otherwise are refused', () => {
  test.each([
    ['half a surrogate pair', () => textKey.encode('\ud800'), 'BAD_TEXT'],
    ['half a pair in long text', () => textKey.encode('x'.repeat(99) + '\udc00'), 'BAD_TEXT'],
    ['a number as text', () => textKey.encode(5 as unknown as string), 'BAD_KEY'],
    ['NaN', () => numberKey.encode(NaN), 'BAD_KEY'],
    ['an invalid date', () => dateKey.encode(new Date(NaN)), 'BAD_KEY'],
    [
      'a tuple too short',
      () => tupleKey(textKey, textKey).encode(['a'] as unknown as [string, string]),
      'BAD_KEY',
    ],
    ['an integer of 255 bytes', () => bigintKey.encode(1n << 2040n), 'BAD_KEY'],
  ])('%s', (_what, encode, code) => {
    expect(encode).toThrow(expect.objectContaining({ code }))
  })

  test('bytes of a tuple that does not end', () => {
    expect(() => tupleKey(textKey).decode(new Uint8Array([1, 2]))).toThrow(
      expect.objectContaining({ code: 'BAD_KEY' }),
    )
  })
})

describe('values', () => {
  test('JSON and any number come back as they were', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.double(),
          fc.integer(),
          fc.constantFrom(-0, 239, 240, 255, 256, 2 ** 32),
          text,
          plainJson(),
        ),
        (value) => {
          expect(
            Object.is(jsonValue.decode(jsonValue.encode(value)), value) || typeof value === 'object',
          ).toBe(true)
          expect(jsonValue.decode(jsonValue.encode(value))).toEqual(value)
        },
      ),
      { numRuns: 300 },
    )
    expect(jsonValue.decode(jsonValue.encode(undefined))).toBe(undefined)
  })

  test('what JSON would change is refused, with the path to it', () => {
    expect(() => jsonValue.encode({ a: [new Date(0)] })).toThrow(/a\[0\]/)
  })

  test('any bytes give a value or a refusal, never something else', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 12 }), (bytes) => {
        try {
          jsonValue.decode(bytes)
        } catch (error) {
          expect((error as Error).name).toBe('ProtocolError')
        }
      }),
    )
  })

  test('text and bytes', () => {
    expect(textValue.decode(textValue.encode('gr\u00fcn'))).toBe('gr\u00fcn')
    expect(bytesValue.decode(bytesValue.encode(new Uint8Array([0, 255])))).toEqual(new Uint8Array([0, 255]))
  })
})

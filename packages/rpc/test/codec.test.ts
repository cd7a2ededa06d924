import fc from 'fast-check'
import { expect, test } from 'vitest'
import { ProtocolError, RpcError, jsonCodec } from '../src/index.ts'

const json = jsonCodec<unknown>()

test('values of JSON come back as they were', () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      const back = refusedOr(() => json.decode(json.encode(value)))
      // fast-check also makes -0, which JSON would turn into 0.
      if (back === REFUSED)
        expect(JSON.stringify(value, (_, v: unknown) => (Object.is(v, -0) ? '-0' : v))).toMatch(
          /"-0"|__proto__/,
        )
      else expect(back).toEqual(value)
    }),
    { numRuns: 500 },
  )
})

test('undefined as a whole is no bytes, and comes back', () => {
  expect(json.encode(undefined)).toHaveLength(0)
  expect(json.decode(new Uint8Array(0))).toBeUndefined()
})

const cycle: { self?: unknown } = {}
cycle.self = cycle
test.each([
  ['a date', { when: new Date(0) }, 'at when'],
  ['a map', { a: { b: new Map() } }, 'at a.b'],
  [
    'a class instance',
    [
      new (class Point {
        readonly x = 1
      })(),
    ],
    'Point',
  ],
  ['undefined inside', { a: undefined }, 'at a'],
  ['undefined in an array', [1, undefined], 'at [1]'],
  ['a hole', Object.assign(new Array<number>(3), { 0: 1 }), 'holes'],
  ['NaN', { x: [{ y: NaN }] }, 'at x[0].y'],
  ['infinity', Infinity, 'Infinity'],
  ['minus zero', [-0], '-0'],
  ['a bigint', { n: 1n }, 'bigint'],
  ['a function', { f: () => 1 }, 'function'],
  ['half a surrogate pair', { s: '\ud800' }, 'at s'],
  ['bytes', { b: new Uint8Array(1) }, 'Uint8Array'],
  ['a symbol key', { [Symbol('s')]: 1 }, 'symbol'],
  ['a key __proto__', JSON.parse('{"__proto__":1}') as unknown, '__proto__'],
  ['a cycle', cycle, 'levels'],
])('%s is refused, with the path', (_, value, part) => {
  const error = refusal(() => json.encode(value))
  expect(error).toMatchObject({ code: 'BAD_REQUEST', executed: 'no' })
  expect(error.message).toContain(part)
})

test('random bytes decode or throw ProtocolError', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) => {
      try {
        json.decode(bytes)
      } catch (error) {
        expect(error).toBeInstanceOf(ProtocolError)
      }
    }),
    { numRuns: 1000 },
  )
})

test.each(['{"__proto__":{"x":1}}', '{"a":{"\\u005f_proto__":1}}', '{"a":', '\ufeff1'])(
  '%s is refused',
  (text) => {
    expect(() => json.decode(new TextEncoder().encode(text))).toThrow(ProtocolError)
  },
)

const REFUSED = Symbol('refused')

function refusedOr(run: () => unknown): unknown {
  try {
    return run()
  } catch (error) {
    expect(error).toBeInstanceOf(RpcError)
    return REFUSED
  }
}

function refusal(run: () => unknown): RpcError {
  try {
    run()
  } catch (error) {
    return error as RpcError
  }
  throw new Error('it was not refused')
}

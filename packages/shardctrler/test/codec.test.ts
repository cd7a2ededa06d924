import { ProtocolError, type Codec } from '@lab/rpc'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import {
  answerCodec,
  commandCodec,
  queryCodec,
  resultCodec,
  type Answer,
  type Command,
  type Query,
  type Refusal,
  type Result,
} from '@lab/shardctrler'
import { anyConfig } from './arbitraries.ts'

const number = fc.oneof(fc.nat(20), fc.maxSafeNat())
const numbers = fc.array(number, { maxLength: 5 })
const servers = fc.array(fc.string({ unit: 'grapheme', maxLength: 20 }), { maxLength: 3 })

const command: fc.Arbitrary<Command> = fc.oneof(
  fc.record({
    op: fc.constant('create' as const),
    shards: number,
    keyToShard: fc.constantFrom('first-byte' as const, 'crc16' as const),
  }),
  fc.record({
    op: fc.constant('join' as const),
    groups: fc.array(fc.record({ gid: number, weight: number, servers })),
  }),
  fc.record({ op: fc.constant('leave' as const), gids: numbers }),
  fc.record({ op: fc.constant('move' as const), shard: number, gid: number }),
  fc.record({ op: fc.constantFrom('pin' as const, 'unpin' as const), shards: numbers }),
  fc.record({ op: fc.constant('weigh' as const), gid: number, weight: number }),
  fc.record({ op: fc.constant('relocate' as const), gid: number, servers }),
  fc.record({ op: fc.constant('finished' as const), gid: number, num: number }),
)
const codes: readonly Refusal[] = [
  ...(['UNKNOWN_GID', 'DUPLICATE_GID', 'BAD_GID', 'NO_SERVERS'] as const),
  ...(['BAD_SERVER', 'BAD_SHARD', 'BAD_WEIGHT', 'NOT_CREATED'] as const),
]
const result: fc.Arbitrary<Result> = fc.oneof(
  fc.record({ status: fc.constant('done' as const), num: number }),
  fc.record({
    status: fc.constant('refused' as const),
    code: fc.constantFrom(...codes),
    message: fc.string(),
  }),
)
const query: fc.Arbitrary<Query> = fc.oneof(
  fc.record({ op: fc.constant('config' as const), num: fc.integer({ min: -1, max: 1e6 }) }),
  fc.record({ op: fc.constant('progress' as const) }),
)
const gid = fc.integer({ min: 1, max: 2 ** 32 - 1 })
const answer: fc.Arbitrary<Answer> = fc.oneof(
  anyConfig.map((config) => ({ status: 'config' as const, config })),
  fc.record({ status: fc.constant('compacted' as const), firstNum: number }),
  fc.record({ status: fc.constant('not-created' as const) }),
  fc.record({
    status: fc.constant('progress' as const),
    firstNum: number,
    finished: fc
      .array(fc.tuple(gid, number))
      .map((entries): Record<number, number> => Object.fromEntries(entries)),
    gone: fc.array(gid),
  }),
)

check('commands', commandCodec, command)
check('results', resultCodec, result)
check('queries', queryCodec, query)
check('answers', answerCodec, answer)

function check<T>(what: string, codec: Codec<T>, values: fc.Arbitrary<T>): void {
  test(`${what} survive their bytes`, () => {
    fc.assert(
      fc.property(values, (value) => {
        expect(codec.decode(codec.encode(value))).toEqual(value)
      }),
    )
  })

  test(`damaged ${what} are refused as such, or are others`, () => {
    fc.assert(
      fc.property(values, fc.nat(), fc.nat(255), (value, at, byte) => {
        const bytes = codec.encode(value).slice()
        bytes[at % bytes.length] = byte
        try {
          codec.decode(bytes)
        } catch (thrown) {
          expect(thrown).toBeInstanceOf(ProtocolError)
        }
      }),
    )
  })
}

import fc from 'fast-check'
import type { Config } from '@lab/shardctrler'

const gid = fc.oneof(fc.integer({ min: 1, max: 20 }), fc.integer({ min: 1, max: 2 ** 32 - 1 }))
const group = fc.record({
  gid,
  weight: fc.integer({ min: 1, max: 5 }),
  servers: fc.array(fc.constantFrom('tcp://m1:7001', 'tcp://m2:7001', 'x', 'ü'), {
    minLength: 1,
    maxLength: 4,
  }),
})

/** Any groups, any owners: more than the controller would ever make. */
export const anyConfig: fc.Arbitrary<Config> = fc
  .record({
    num: fc.nat(1e6),
    keyToShard: fc.constantFrom('first-byte' as const, 'crc16' as const),
    members: fc.uniqueArray(group, { selector: (each) => each.gid, maxLength: 6 }),
    owners: fc.array(fc.nat(6), { minLength: 1, maxLength: 40 }),
    pinned: fc.uniqueArray(fc.nat(39), { maxLength: 5 }),
  })
  .map(({ num, keyToShard, members, owners, pinned }) => ({
    num,
    keyToShard,
    shards: owners.map((owner) => members[owner]?.gid ?? 0),
    groups: Object.fromEntries(members.map((each) => [each.gid, each.servers])),
    weights: Object.fromEntries(
      members.filter(({ weight }) => weight !== 1).map((each) => [each.gid, each.weight]),
    ),
    pinned: pinned.sort((a, b) => a - b),
  }))

/** Stories of shards in which something is broken, for check.test.ts. */
import type { TraceFields } from '@lab/rpc'
import type { RuleName } from '../src/index.ts'

type Step = Partial<TraceFields> & { readonly n: string; readonly k: TraceFields['k'] }

const news = (g: number, what: string, more: object): Step => ({
  ...{ n: `g${String(g)}`, g, k: 'shard', what },
  ...more,
})
const configured = (g: number, num: number, ...shards: number[]): Step =>
  news(g, 'configured', { num, shards })
const sizes = { keys: 2, revision: 5, sessions: 1 }

/** Group 100 creates shard 0 and gives it to group 101, which takes it over. */
const before: Step[] = [
  configured(100, 1, 100),
  news(100, 'created', { shard: 0, num: 1 }),
  news(100, 'write', { shard: 0, num: 1, key: 'x', revision: 5 }),
  configured(101, 1, 100),
]
const frozen = news(100, 'frozen', { shard: 0, num: 2, to: 101, ...sizes })
const installed = news(101, 'installed', { shard: 0, num: 2, from: 100, ...sizes })
const moved: Step[] = [...before, configured(100, 2, 101), frozen, configured(101, 2, 101), installed]

export const shardStory: readonly Step[] = [
  ...moved,
  news(101, 'write', { shard: 0, num: 2, key: 'x', revision: 6 }),
  news(100, 'deleted', { shard: 0, num: 2, to: 101 }),
  // It owned nothing at any time, and the controller has forgotten what it missed.
  configured(102, 1, 100),
  configured(102, 3, 101),
]

export const shardCases: readonly (readonly [string, RuleName, ...Step[]])[] = [
  [
    'a group that serves what a configuration gives to another',
    'shardOneOwner',
    ...moved,
    news(100, 'read', { shard: 0, num: 2, key: 'x', revision: 5 }),
  ],
  [
    'two groups that serve a shard under one configuration',
    'shardOneOwner',
    ...before.filter(({ what }) => what !== 'configured'),
    news(101, 'write', { shard: 0, num: 1, key: 'x', revision: 1 }),
  ],
  [
    'a group that answers while the shard is frozen',
    'shardServedWhileOwned',
    ...before,
    frozen,
    news(100, 'write', { shard: 0, num: 1, key: 'x', revision: 6 }),
  ],
  ['a configuration that is left out', 'shardConfigsInOrder', ...before, configured(100, 3, 100)],
  [
    'a configuration that is left out by a group that owned something in it',
    'shardConfigsInOrder',
    ...moved,
    configured(102, 1, 100),
    configured(101, 3, 102),
    configured(102, 5, 100),
  ],
  [
    'two configurations of one number',
    'shardConfigsInOrder',
    ...before,
    configured(100, 2, 101),
    configured(101, 2, 100),
  ],
  [
    'a shard that is taken over before it is frozen',
    'shardHandedOverWhole',
    ...before,
    configured(100, 2, 101),
    configured(101, 2, 101),
    installed,
  ],
  [
    'a shard that arrives without its sessions',
    'shardHandedOverWhole',
    ...moved.slice(0, -1),
    { ...installed, sessions: 0 },
  ],
  [
    'a shard that is deleted before anybody else has it',
    'shardKeptUntilTaken',
    ...moved.slice(0, -1),
    news(100, 'deleted', { shard: 0, num: 2, to: 101 }),
  ],
]

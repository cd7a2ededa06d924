/**
 * Which group serves which shard: the labs' `Config`, as a value. Nobody changes one; the next configuration is another.
 */
import type { Address } from '@lab/rpc'

/** A group's id, 1 to 2^32 - 1: also its number on a `RaftHost`. 0 is nobody, and the controller's own number there. */
export type Gid = number

/** The owner of a shard that no group serves, as all shards while there are no groups. */
export const NOBODY: Gid = 0
export const GID_MAX: Gid = 2 ** 32 - 1

/** Redis Cluster has as many slots. */
export const SHARDS_MAX = 16_384
/** The labs'. */
export const SHARDS_DEFAULT = 10

/** How a key finds its shard: the first byte, as in the labs, or CRC16 of the key or of its `{tag}`. See key-to-shard.ts. */
export type KeyToShard = 'first-byte' | 'crc16'

/** One configuration. Number 0 has no groups, and nobody serves any shard. */
export interface Config {
  /** Counts configurations, from 0. Each follows from the one before by one `join`, `leave`, `move` and so on. */
  readonly num: number
  /** The same in all configurations of a cluster, as is the number of shards. */
  readonly keyToShard: KeyToShard
  /** The owner of each shard, by shard number from 0; {@link NOBODY} when there are no groups. */
  readonly shards: readonly Gid[]
  /** Where each group's servers are reached, in the order given. Keys ascend. */
  readonly groups: Readonly<Record<Gid, readonly Address[]>>
  /** A group of weight 2 serves twice as many shards as one of weight 1. Only weights other than 1 stand here. */
  readonly weights: Readonly<Record<Gid, number>>
  /** Shards that rebalancing leaves with their owner, ascending. */
  readonly pinned: readonly number[]
}

/** Number 0. */
export function firstConfig(shards: number, keyToShard: KeyToShard): Config {
  return {
    num: 0,
    keyToShard,
    shards: Array.from({ length: shards }, () => NOBODY),
    groups: {},
    weights: {},
    pinned: [],
  }
}

/** Ascending. */
export function gidsOf({ groups }: Pick<Config, 'groups'>): Gid[] {
  // Whole numbers below 2^32 - 1 are in ascending order by the language's own rule; 2^32 - 1 itself is not.
  return Object.keys(groups)
    .map(Number)
    .sort((a, b) => a - b)
}

/** The numbers of the shards that `gid` serves, ascending. */
export function shardsOf({ shards }: Pick<Config, 'shards'>, gid: Gid): number[] {
  return shards.flatMap((owner, shard) => (owner === gid ? [shard] : []))
}

/** 1 unless another was given. */
export function weightOf({ weights }: Pick<Config, 'weights'>, gid: Gid): number {
  return weights[gid] ?? 1
}

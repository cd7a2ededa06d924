export {
  GID_MAX,
  NOBODY,
  SHARDS_DEFAULT,
  SHARDS_MAX,
  firstConfig,
  gidsOf,
  shardsOf,
  weightOf,
  type Config,
  type Gid,
  type KeyToShard,
} from './config.ts'
export { shardOf, tagOf } from './key-to-shard.ts'
export { configCodec } from './config-codec.ts'

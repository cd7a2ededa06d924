export { shardOf, tagOf } from './key-to-shard.ts'

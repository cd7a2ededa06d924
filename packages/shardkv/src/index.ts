export { shardOf, type Config, type Gid, type KeyToShard } from '@lab/shardctrler'

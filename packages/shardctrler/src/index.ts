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
export { ControllerServer, type ControllerServerOptions, type Creation } from './server.ts'
export { Clerk, type ClerkOptions, type ConfigWatchOptions, type JoinOptions } from './clerk.ts'
export { ControllerError, type ControllerErrorCode } from './errors.ts'
export { Controller } from './controller.ts'
export { rebalance, type Placement } from './rebalance.ts'
export { controllerCodecs } from './codecs.ts'
export { commandCodec, type Command, type NewGroup } from './commands.ts'
export { resultCodec, type Refusal, type Result } from './results.ts'
export { answerCodec, queryCodec, type Answer, type Progress, type Query } from './queries.ts'

export { KvServer, type KvServerOptions } from './server.ts'
export {
  Clerk,
  type CallOptions,
  type ClerkOptions,
  type Deleted,
  type TextOrBytes,
  type Written,
} from './clerk.ts'
export { KvError, type KvErrorCode } from './errors.ts'
export { KvStore } from './store.ts'
export { commandCodec, type Command } from './commands.ts'
export { resultCodec, type Result } from './results.ts'
export { answerCodec, queryCodec, type Answer, type Entry, type Query } from './queries.ts'
export { kvCodecs } from './codecs.ts'
export { COMMAND_BYTES_MAX, KEY_BYTES_MAX, VALUE_BYTES_MAX } from './limits.ts'

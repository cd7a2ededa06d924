export { KvServer, type KvServerOptions } from './server.ts'
export {
  Clerk,
  valueText,
  type CallOptions,
  type ClerkOptions,
  type Deleted,
  type Expected,
  type KeyRange,
  type PutOptions,
  type ReadCallOptions,
  type ScanOptions,
  type ScanPage,
  type Swapped,
  type TextOrBytes,
  type TxnCondition,
  type TxnDone,
  type TxnOperation,
  type TxnRequest,
  type WatchOptions,
  type Written,
} from './clerk.ts'
export { KvError, type KvErrorCode } from './errors.ts'
export { KvStore, type KvStoreOptions } from './store.ts'
export { commandCodec, type Command, type CompareAndSet } from './commands.ts'
export type { Comparison, Operation, Relation, Txn } from './txn.ts'
export { resultCodec, type OperationResult, type Result } from './results.ts'
export {
  answerCodec,
  queryCodec,
  type Answer,
  type Entry,
  type KeyEntry,
  type Page,
  type Query,
  type Scan,
} from './queries.ts'
export { decodeEvents, type WatchEvent } from './events.ts'
export { kvCodecs, storeCodecs } from './codecs.ts'
export { operationDurations, type OperationDurations } from './request-durations.ts'
export { COMMAND_BYTES_MAX, KEY_BYTES_MAX, VALUE_BYTES_MAX } from './limits.ts'

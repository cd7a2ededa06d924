export { main, run } from './main.ts'
export { ExitCode } from './exit-codes.ts'
export { CliError, type CliErrorCode } from './errors.ts'
export type { Io } from './io.ts'
export { openTraceFile, type TraceFile, type TraceFileOptions } from './trace-file.ts'
export { startServerProcess, type ServerProcess, type ServerProcessOptions } from './local/server-process.ts'
export {
  planCluster,
  startCluster,
  membersOf,
  type ClusterPlan,
  type LocalTransport,
} from './local/local-cluster.ts'
export { shardedPlan, placeOf, waitForShards, type ShardedSize } from './local/sharded-plan.ts'
export type { FiledPlan } from './local/plan-file.ts'
export { holderOf } from './local/holder.ts'
export type { ClusterFile, LocalNode } from './local/cluster-file.ts'

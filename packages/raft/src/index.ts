export { RaftNode, type CommandOf, type NodeStatus, type ResultOf, type Submitted } from './node.ts'
export { RaftHost } from './raft-host.ts'
export type { RaftGroupOptions, RaftHostOptions } from './host-options.ts'
export {
  RaftClient,
  type ClientMetrics,
  type ClientReadOptions,
  type RaftClientOptions,
  type ServerReport,
} from './client.ts'
export type { MembershipChangeInput } from './admin/check-change.ts'
export type { ChangeMembershipOptions } from './admin/operator.ts'
export type { Handover, MembershipReport } from './admin/types.ts'
export type { Consistency, Freshness, ReadOptions } from './reads.ts'
export type { Logger, RaftLimits, RaftNodeOptions } from './options.ts'
export type { NodeEvents } from './node-events.ts'
export type { ServerStatus } from './services.ts'
export { readBackup, type Backup, type BackupHeader } from './recovery/backup.ts'
export {
  inspectStorage,
  recoverStorage,
  restoreBackup,
  type NewCluster,
  type RecoveryReport,
} from './recovery/recover.ts'
export type { WaitOptions } from './calls/bounded.ts'
export type { ProposeOptions } from './calls/proposer.ts'
export type { Counters } from './driver/counters.ts'
export type { Distribution } from './driver/histogram.ts'
export type { NodeMetrics, PeerMetrics } from './metrics.ts'
export type { RequestDurations, RequestKinds, RequestType } from './driver/request-meter.ts'
export { LeaderTask, type LeaderContext, type LeaderWork } from './leader-task.ts'
export { stateMachine, type JsonStateMachine, type Shorthand } from './shorthand.ts'
export {
  RaftError,
  type LeaderHint,
  type Outcome,
  type RaftErrorCode,
  type RaftErrorOptions,
} from './errors.ts'
export type { ApplyContext, StateMachine } from './state-machine.ts'
export type { CoreLimits, Timing } from './core/ready.ts'
export { EntryKind, type Entry } from './entry.ts'
export type { HardState, Index, Membership, NodeId, Role, SnapshotMeta, Term } from './types.ts'
export type { HostStorage, RecoveredHost } from './host-storage.ts'
export {
  StorageError,
  type Identity,
  type Recovered,
  type SnapshotReader,
  type SnapshotWriter,
  type Storage,
  type StorageFailed,
  type StorageWrite,
  type TermRun,
} from './storage.ts'

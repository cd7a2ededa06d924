export type { HardState, Index, Membership, NodeId, Role, SnapshotMeta, Term } from './types.ts'
export type { ApplyContext, StateMachine } from './state-machine.ts'
export {
  StorageError,
  type Identity,
  type Recovered,
  type SnapshotReader,
  type SnapshotWriter,
  type Storage,
  type StorageWrite,
} from './storage.ts'

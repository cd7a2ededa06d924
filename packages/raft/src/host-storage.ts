/**
 * Where a process that is a member of many groups keeps what none of them must forget. `fileHostStorage` and
 * `memoryHostStorage` are ours.
 */
import type { Identity, Storage, StorageFailed } from './storage.ts'
import type { NodeId } from './types.ts'

export interface HostStorage {
  /**
   * Reads back what is there, or creates it. Until then, and after `close`, groups refuse with `CLOSED`.
   *
   * @throws {StorageError} as `Storage.open`
   * @param onFailed as in `Storage.open`, for all groups at once; theirs are not called
   */
  open(
    owner: { readonly clusterId: string; readonly nodeId: NodeId },
    onFailed?: StorageFailed,
  ): Promise<RecoveredHost>

  /**
   * The storage of one group, a whole number from 0 to 2^32 - 1; of group 0 when there is one group only. It is opened and closed
   * like any other, and its peers and identity are the process's.
   */
  group(group: number): Storage

  /**
   * Forgets the group: durable when it resolves, and then its number may be used again. Its storage must be closed.
   *
   * @throws {StorageError}
   */
  removeGroup(group: number): Promise<void>

  /** Which incarnation of each peer this process has met first; durable when it resolves. See `WIPED`. */
  rememberPeer(id: NodeId, incarnation: string): Promise<void>

  /** Waits for what is in flight and lets go of the lock. Idempotent. */
  close(): Promise<void>
}

/** What `HostStorage.open` found. */
export interface RecoveredHost {
  readonly identity: Identity
  /** The groups of which anything is there, ascending. */
  readonly groups: readonly number[]
  /** Peers met, by id → incarnation. */
  readonly peers: ReadonlyMap<NodeId, string>
  /** What people should know: a torn tail was truncated, the disk is not durable. */
  readonly notes: readonly string[]
}

/**
 * Where a server keeps what it must not forget. `fileStorage` and `memoryStorage` are ours; your own passes
 * `storageSuite` (`@lab/raft/testing`).
 *
 * The driver calls one method at a time of open → (write | read | snapshots | compact)* → close, except that reads and
 * snapshots may run beside a write. At most one `write` is in flight.
 */
import type { Entry } from './entry.ts'
import type { HardState, Index, NodeId, SnapshotMeta, Term } from './types.ts'

/** Whose data this is. */
export interface Identity {
  readonly clusterId: string
  readonly nodeId: NodeId
  /** Drawn at random when the folder was made: tells a wiped disk from the old one. 16 hexadecimal digits. */
  readonly incarnation: string
}

export interface Storage {
  /**
   * Reads back what is there, or creates it.
   *
   * @throws {StorageError} `LOCKED` another process has it open · `WRONG_NODE`, `WRONG_CLUSTER` the data are somebody
   *   else's · `CORRUPT` damage that is no torn tail, with file and offset · `VERSION` written by a newer format
   * @param onFailed called once when every further write is refused from now on, whatever failed: a write, a peer to be
   *   remembered, or work that nobody waits for. The server ends then: one that can promise nothing is of use to nobody
   */
  open(
    owner: { readonly clusterId: string; readonly nodeId: NodeId },
    onFailed?: StorageFailed,
  ): Promise<Recovered>

  /**
   * Appends; durable, in order and all or nothing, when it resolves. An entry whose index is there already with another
   * term replaces it and everything after it (§5.3).
   *
   * @throws {StorageError} and then the storage refuses every further write: a failed sync must not be retried
   */
  write(write: StorageWrite): Promise<void>

  /**
   * Entries from `first` to `last`, both included, or fewer from `first` on once `bytesMax` is passed (always at least
   * one). Empty when `first` was compacted away.
   */
  read(first: Index, last: Index, bytesMax: number): Promise<readonly Entry[]>

  /** Entries up to and including `index` are in a committed snapshot and may be forgotten. Never past the newest snapshot. */
  compact(index: Index): Promise<void>

  /** Begins a snapshot aside; it counts only once committed. At most one at a time. */
  createSnapshot(meta: SnapshotMeta): Promise<SnapshotWriter>

  /** The newest committed snapshot, or null. A reader stays valid while newer ones are committed. */
  openSnapshot(): Promise<SnapshotReader | null>

  /** Which incarnation of each peer this server has met first; durable when it resolves. See `WIPED`. */
  rememberPeer(id: NodeId, incarnation: string): Promise<void>

  /** Waits for what is in flight and lets go of the lock. Idempotent. */
  close(): Promise<void>
}

/** See {@link Storage.open}. */
export type StorageFailed = (error: StorageError) => void

export interface StorageWrite {
  /** Consecutive indexes; the first is at most one past the last entry stored. May be empty. */
  readonly entries: readonly Entry[]
  /** Null when unchanged. */
  readonly hardState: HardState | null
}

/** What `open` found. */
export interface Recovered {
  readonly identity: Identity
  /** True when nothing had been stored before: only then may `members` bootstrap the cluster. */
  readonly fresh: boolean
  readonly hardState: HardState
  readonly snapshot: SnapshotMeta | null
  /** The first entry still readable; snapshot index + 1 or less when entries before it are kept. lastIndex + 1 when there is none. */
  readonly firstIndex: Index
  /** The last entry stored, or the snapshot's index. */
  readonly lastIndex: Index
  /** The term of every entry from `firstIndex` to `lastIndex`: each run holds until the next begins. */
  readonly terms: readonly TermRun[]
  /** Every configuration entry from `firstIndex` to `lastIndex`, in order. */
  readonly configurations: readonly Entry[]
  /** The log time of the entry at `lastIndex`; 0 when unknown. */
  readonly lastTime: number
  /** Peers met, by id → incarnation. */
  readonly peers: ReadonlyMap<NodeId, string>
  /** What people should know: a torn tail was truncated, the disk is not durable. */
  readonly notes: readonly string[]
}

/** Entries from `first` on have `term`. */
export interface TermRun {
  readonly first: Index
  readonly term: Term
}

export interface SnapshotWriter {
  /** Once it resolves, the chunk's memory may be used for the next. */
  write(chunk: Uint8Array): Promise<void>
  /**
   * Makes it durable and the newest. When the log does not hold (meta.index, meta.term), the whole log is dropped (§7);
   * otherwise entries after it stay.
   *
   * @param expected when given, size and crc32 that the bytes must have @throws {StorageError} `CORRUPT` when they have not
   */
  commit(expected?: { readonly size: number; readonly crc: number }): Promise<void>
  abort(): Promise<void>
}

export interface SnapshotReader {
  readonly meta: SnapshotMeta
  /** Bytes of state, without the file's own framing. */
  readonly size: number
  /** crc32 of all of them. */
  readonly crc: number
  /**
   * The bytes are fresh, or in `into`, which has room for them: whoever keeps them decides where they stand. What is returned counts.
   *
   * @throws {StorageError} `CORRUPT` when a checksum does not match
   */
  read(offset: number, length: number, into?: Uint8Array): Promise<Uint8Array>
  close(): Promise<void>
}

/** Why storage refused. `code` is stable API; `message` says what to do. */
export class StorageError extends Error {
  override readonly name = 'StorageError'
  readonly code:
    'LOCKED' | 'WRONG_NODE' | 'WRONG_CLUSTER' | 'CORRUPT' | 'VERSION' | 'DISK_FULL' | 'DISK_FAILED' | 'CLOSED'
  constructor(code: StorageError['code'], message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
  }
}

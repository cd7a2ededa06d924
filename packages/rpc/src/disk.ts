/**
 * Files, passed in: what a durable log needs of a file system and nothing more, so that a simulator can lose the
 * un-synced tail, tear a write or fill the disk. The system's implementation is `@lab/rpc/disk` (Node only).
 *
 * Paths use `/` and are taken as they are. Every method that fails rejects with a {@link DiskError}.
 */
export interface Disk {
  /** Opens a file for reading and writing. Without `create` a missing file fails with `NOT_FOUND`; with `exclusive` an existing one with `EXISTS`. */
  open(path: string, options?: DiskOpenOptions): Promise<DiskFile>
  /** Replaces `to` atomically. Durable only after {@link syncDirectory} of the folder. */
  rename(from: string, to: string): Promise<void>
  /** Removes a file; a missing one is no error. */
  remove(path: string): Promise<void>
  /** Names (not paths) in a folder, sorted; a missing folder fails with `NOT_FOUND`. */
  list(directory: string): Promise<string[]>
  /** Creates a folder and its parents; an existing one is no error. */
  makeDirectory(directory: string): Promise<void>
  /** Makes creations, renames and removals in a folder durable. */
  syncDirectory(directory: string): Promise<void>
  /**
   * Holds a folder for this process until `release`, or until the process dies in whatever way.
   *
   * @throws {DiskError} `LOCKED` when another holder lives
   */
  lock(directory: string): Promise<DiskLock>
  /** False when what is synced would still be lost with the power, as on tmpfs. */
  isDurable(directory: string): Promise<boolean>
}

export interface DiskOpenOptions {
  readonly create?: boolean
  readonly exclusive?: boolean
  /** Each `write` is durable when it resolves (O_DSYNC where the system has it, else a sync of data after the write). */
  readonly durableWrites?: boolean
}

/** An open file. Positions and sizes are in bytes. */
export interface DiskFile {
  size(): Promise<number>
  /**
   * Up to `length` bytes at `position`; fewer only at the end of the file. They are fresh, or stand at the beginning of `into`, which has
   * room for them: where many are read, memory can be used again. What is returned counts: a disk may leave `into` alone.
   */
  read(position: number, length: number, into?: Uint8Array): Promise<Uint8Array>
  /** Writes all bytes at `position`, growing the file when needed. The caller must leave `bytes` alone until it resolves. */
  write(bytes: Uint8Array, position: number): Promise<void>
  /** Makes everything written so far durable, the size included. */
  sync(): Promise<void>
  truncate(size: number): Promise<void>
  close(): Promise<void>
}

export interface DiskLock {
  release(): Promise<void>
}

/** Why a {@link Disk} refused. `code` is stable API; `message` names the path; `cause` is the system's own error. */
export class DiskError extends Error {
  override readonly name = 'DiskError'
  readonly code: 'NOT_FOUND' | 'EXISTS' | 'LOCKED' | 'DISK_FULL' | 'DISK_FAILED'
  constructor(code: DiskError['code'], message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
  }
}

/**
 * Files as a task sees them: without waiting, because a task has a thread of its own, because user functions that do not
 * wait emit and take values, and because bytes then go straight to where they are needed. A test can pass in files that
 * are in memory, full, or damaged.
 */

/** Every method that fails throws a `DiskError` of `@lab/rpc`. */
export interface TaskFiles {
  /** Opens a file for reading. A missing one fails with `NOT_FOUND`. */
  open(path: string): TaskFile
  /** Makes a new, empty file for reading and writing, in place of one that may be there. Its folder must exist. */
  create(path: string): TaskFile
  /** Removes a file; a missing one is no error. */
  remove(path: string): void
}

/** An open file. Positions and sizes are in bytes. */
export interface TaskFile {
  readonly path: string
  size(): number
  /** Fills `into` from `position` on, and says how many bytes it got: fewer only at the end of the file. */
  read(into: Uint8Array, position: number): number
  /** Writes all of `bytes` at `position`, growing the file when needed. */
  write(bytes: Uint8Array, position: number): void
  /** Makes what was written durable. */
  sync(): void
  close(): void
}

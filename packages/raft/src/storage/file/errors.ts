import { DiskError, toError } from '@lab/rpc'
import { StorageError } from '../../storage.ts'

/** What a disk refused, as the storage's own error, with what to do. */
export function storageError(thrown: unknown): StorageError {
  if (thrown instanceof StorageError) return thrown
  const cause = toError(thrown)
  const code = cause instanceof DiskError ? cause.code : 'DISK_FAILED'
  if (code === 'DISK_FULL')
    return new StorageError(
      code,
      `${cause.message}. Free some space and start again: nothing acknowledged is lost`,
      { cause },
    )
  if (code === 'LOCKED') return new StorageError(code, cause.message, { cause })
  return new StorageError(
    'DISK_FAILED',
    `${cause.message}. Nothing more is written, as what a failed write left behind is unknown; mend the disk and start again`,
    { cause },
  )
}

/** Does `work`; what the disk refuses becomes a {@link StorageError}. A bug stays what it is. */
export async function withStorageErrors<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (thrown) {
    throw thrown instanceof DiskError ? storageError(thrown) : thrown
  }
}

/** Damage that is no torn tail. @param what where, and what is wrong there */
export function corrupt(what: string): StorageError {
  return new StorageError(
    'CORRUPT',
    `${what}. This server must not go on with a log that has lost something it acknowledged: ` +
      'restore the folder from a backup, or remove this server from the cluster, empty the folder and add it again',
  )
}

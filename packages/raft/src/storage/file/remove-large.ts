import { DiskError, type Disk, type DiskFile } from '@lab/rpc'

/**
 * Freed at once: a file system holds up writes to other files meanwhile, for 20 to 40 ms where a file has 140 MB. With 8 MB they
 * still waited for 2 to 4 of them, with 1 MB for less than one.
 */
const PIECE_BYTES = 1024 * 1024

/**
 * Removes a file that may be large, its end first; a missing one is no error. A crash may leave some of its front: for files that a start
 * removes unread.
 */
export async function removeLarge(disk: Disk, path: string): Promise<void> {
  const file = await openIfThere(disk, path)
  if (file === null) return
  try {
    for (let left = (await file.size()) - PIECE_BYTES; left > 0; left -= PIECE_BYTES)
      await file.truncate(left)
  } finally {
    await file.close()
  }
  await disk.remove(path)
}

async function openIfThere(disk: Disk, path: string): Promise<DiskFile | null> {
  try {
    return await disk.open(path)
  } catch (thrown) {
    if (thrown instanceof DiskError && thrown.code === 'NOT_FOUND') return null
    throw thrown
  }
}

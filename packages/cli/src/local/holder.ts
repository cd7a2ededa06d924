import { existsSync } from 'node:fs'
import { DiskError } from '@lab/rpc'
import { systemDisk } from '@lab/rpc/disk'

/**
 * Who holds a data folder: the server that runs on it. The lock goes with its process, so unlike a process id in a file this
 * is never out of date.
 *
 * @returns null when nobody does; `pid` is null when the holder did not say
 */
export async function holderOf(data: string): Promise<{ readonly pid: number | null } | null> {
  if (!existsSync(data)) return null
  try {
    const lock = await systemDisk.lock(data)
    await lock.release()
    return null
  } catch (thrown) {
    if (!(thrown instanceof DiskError) || thrown.code !== 'LOCKED') throw thrown
    const pid = /process (\d+)/.exec(thrown.message)?.[1]
    return { pid: pid === undefined ? null : Number(pid) }
  }
}

/**
 * A lock on a folder that the kernel frees when its holder dies, in whatever way: a listening local socket. A file with a
 * process id in it would survive SIGKILL and point at whoever got that id next.
 *
 * Two holders on machines or in containers that share the folder but not the network namespace do not see each other.
 */
import { stat } from 'node:fs/promises'
import type { DiskLock } from '../disk.ts'
import { systemCode } from './disk-error.ts'
import { lockBySocketFile } from './lock-file.ts'
import { askHolder, listen, lockedBy } from './lock-socket.ts'

/** @throws {DiskError} `LOCKED` when somebody holds the folder */
export async function lockFolder(directory: string): Promise<DiskLock> {
  if (process.platform !== 'linux' && process.platform !== 'win32') return lockBySocketFile(directory)
  const path = await socketName(directory)
  try {
    return await listen(path)
  } catch (thrown) {
    if (systemCode(thrown) !== 'EADDRINUSE') throw thrown
    throw lockedBy(directory, await askHolder(path), thrown)
  }
}

/** A name in the kernel's own space: gone with the process, and the same however the folder's path is written. */
async function socketName(directory: string): Promise<string> {
  const { dev, ino } = await stat(directory, { bigint: true })
  const name = `lab-lock-${dev.toString(16)}-${ino.toString(16)}`
  return process.platform === 'win32' ? `\\\\.\\pipe\\${name}` : `\0${name}`
}

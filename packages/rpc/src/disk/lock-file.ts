/**
 * The lock where the kernel has no name space of its own for local sockets (macOS, the BSDs): a socket file in the folder.
 * It stays behind when its holder is killed; nobody answers there then, and the next comer takes its place.
 */
import { randomBytes } from 'node:crypto'
import { link, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { DiskLock } from '../disk.ts'
import { systemCode } from './disk-error.ts'
import { askHolder, listen, lockedBy } from './lock-socket.ts'

/** Short: a path to a socket has some 100 bytes. */
const LOCK_NAME = '.lock'
const ATTEMPTS = 5

/** @throws {DiskError} `LOCKED` when somebody holds the folder */
export async function lockBySocketFile(directory: string): Promise<DiskLock> {
  const path = join(directory, LOCK_NAME)
  const own = join(directory, `.l-${randomBytes(4).toString('hex')}`)
  const server = await listen(own)
  try {
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      if (await claim(own, path)) return { release: () => release(server, path) }
      const holder = await askHolder(path)
      if (holder !== null) throw lockedBy(directory, holder, undefined)
      await removeStale(path, `${own}-stale`)
    }
    throw lockedBy(directory, null, undefined)
  } catch (thrown) {
    await server.release()
    throw thrown
  }
}

/** Gives our listening socket the lock's name: one system call, so only one of two rivals succeeds. */
async function claim(own: string, path: string): Promise<boolean> {
  try {
    await link(own, path)
    return true
  } catch (thrown) {
    if (systemCode(thrown) !== 'EEXIST') throw thrown
    return false
  }
}

/**
 * Takes a dead holder's socket away. A rival may have done so and put its own in place since we asked: so what we took is
 * asked again, and a living one is put back.
 */
async function removeStale(path: string, aside: string): Promise<void> {
  try {
    await rename(path, aside)
  } catch (thrown) {
    if (systemCode(thrown) === 'ENOENT') return
    throw thrown
  }
  if ((await askHolder(aside)) !== null) await claim(aside, path)
  await rm(aside, { force: true })
}

async function release(server: DiskLock, path: string): Promise<void> {
  await rm(path, { force: true })
  await server.release()
}

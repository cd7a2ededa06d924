/** The machine's own disk: {@link Disk} on `node:fs`. */
import { mkdir, open, readdir, rename, rm, statfs } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import type { Disk } from '../disk.ts'
import { withDiskErrors } from './disk-error.ts'
import { lockFolder } from './lock.ts'
import { openSystemFile } from './system-file.ts'

/** File systems that live in memory, by their magic number in `statfs`. */
const TMPFS = 0x01021994
const RAMFS = 0x858458f6

/** The machine's disk. What is durable by its promise survives a loss of power as far as the drive itself is honest. */
export const systemDisk: Disk = {
  open: (path, options = {}) => openSystemFile(path, options),
  rename: (from, to) => withDiskErrors('rename', `${from} to ${to}`, () => rename(from, to)),
  remove: (path) => withDiskErrors('remove', path, () => rm(path, { force: true })),
  list: (directory) => withDiskErrors('list', directory, async () => (await readdir(directory)).sort()),
  makeDirectory: (directory) => withDiskErrors('create', directory, () => makeDirectory(directory)),
  syncDirectory: (directory) => withDiskErrors('sync', directory, () => syncDirectory(directory)),
  lock: (directory) => withDiskErrors('lock', directory, () => lockFolder(directory)),
  isDurable: (directory) => withDiskErrors('look at', directory, () => isDurable(directory)),
}

/** A folder is durable once its parent is synced, so every parent of a new one is. */
async function makeDirectory(directory: string): Promise<void> {
  const topmost = await mkdir(directory, { recursive: true })
  if (topmost === undefined) return
  const top = dirname(resolve(topmost))
  for (let parent = dirname(resolve(directory)); parent.length >= top.length; parent = dirname(parent)) {
    await syncDirectory(parent)
    if (parent === top) return
  }
}

async function syncDirectory(directory: string): Promise<void> {
  try {
    const handle = await open(directory, 'r')
    try {
      await handle.sync()
    } finally {
      await handle.close()
    }
  } catch (thrown) {
    // Windows has no such thing as syncing a folder; everywhere else a failure is a failure.
    if (process.platform !== 'win32') throw thrown
  }
}

async function isDurable(directory: string): Promise<boolean> {
  const { type } = await statfs(directory)
  if (process.platform !== 'linux') return true
  return type !== TMPFS && type !== RAMFS
}

import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { seededRandom } from '@lab/rpc'
import { describe, test } from 'vitest'
import type { Storage } from '../../src/storage.ts'
import { fileStorage } from '../../src/storage/file/index.ts'
import { memoryHostStorage, memoryStorage, type MemoryStorage } from '../../src/storage/memory.ts'
import { storageSuite, type StoragePlace } from '../../src/testing/storage-suite.ts'
import { SimDisk } from '@lab/sim'

function memoryPlace(storage: MemoryStorage): StoragePlace {
  return {
    storage: () => storage,
    crash: () => {
      storage.crash()
      return Promise.resolve()
    },
    dispose: () => Promise.resolve(),
  }
}

describe('memory', () => {
  for (const { title, run } of storageSuite({ open: () => Promise.resolve(memoryPlace(memoryStorage())) }))
    test(title, run)
})

describe('memory, one group of many', () => {
  const open = (): Promise<StoragePlace> => {
    const host = memoryHostStorage()
    const group = host.group(7)
    const storage: Storage = {
      ...group,
      async open(owner) {
        await host.open(owner)
        return group.open(owner)
      },
      close: () => host.close(),
    }
    return Promise.resolve({
      storage: () => storage,
      crash: () => {
        host.crash()
        return Promise.resolve()
      },
      dispose: () => Promise.resolve(),
    })
  }
  for (const { title, run } of storageSuite({ open })) test(title, run)
})

describe("files on the system's disk", () => {
  const open = async (): Promise<StoragePlace> => {
    const folder = await mkdtemp(join(tmpdir(), 'lab-storage-'))
    return {
      storage: () => fileStorage(join(folder, 'data'), { segmentBytes: 64 * 1024 }),
      dispose: () => rm(folder, { recursive: true, force: true }),
    }
  }
  const lacks = { crash: 'takes a process to kill: see process.test.ts' }
  for (const { title, run } of storageSuite({ open, lacks })) test(title, run)
})

describe('files on a disk that loses what was not synced', () => {
  let seed = 0
  const open = (): Promise<StoragePlace> => {
    const random = seededRandom(++seed)
    const disk = new SimDisk({ random })
    return Promise.resolve({
      storage: () => fileStorage('data', { disk, random, segmentBytes: 4096 }),
      crash: () => {
        disk.crash()
        return Promise.resolve()
      },
      dispose: () => Promise.resolve(),
    })
  }
  for (const { title, run } of storageSuite({ open })) test(title, run)
})

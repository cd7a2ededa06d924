import { DiskError, seededRandom, type Disk, type DiskFile } from '@lab/rpc'
import { SimDisk } from '@lab/sim'
import { expect, test } from 'vitest'
import { fileStorage } from '../../src/storage/file/index.ts'
import { OWNER, append, entries, metaOf, stateOf } from '../../src/testing/storage/kit.ts'

/** Large enough for several writes, of a megabyte each. */
const STATE = stateOf(4, 4_000_000)

const NOTHING = new Uint8Array(0)

/** A disk on which `write` stands in front of every write to an unfinished snapshot. */
function diskWith(write: (file: DiskFile, bytes: Uint8Array, position: number) => Promise<void>): Disk {
  const disk = new SimDisk({ random: seededRandom(1) })
  const open: Disk['open'] = async (path, options) => {
    const file = await disk.open(path, options)
    if (!path.includes('snapshot') || !path.endsWith('.tmp')) return file
    return new Proxy(file, {
      get: (target, name) => {
        if (name === 'write') return (bytes: Uint8Array, at: number) => write(target, bytes, at)
        const value: unknown = Reflect.get(target, name)
        return typeof value === 'function' ? (value.bind(target) as unknown) : value
      },
    })
  }
  return new Proxy(disk, {
    get: (target, name) => {
      if (name === 'open') return open
      const value: unknown = Reflect.get(target, name)
      return typeof value === 'function' ? (value.bind(target) as unknown) : value
    },
  })
}

async function writeSnapshot(disk: Disk): Promise<Uint8Array | undefined> {
  const storage = fileStorage('data', { disk, random: seededRandom(1) })
  await storage.open(OWNER)
  try {
    await append(storage, entries(1, 9, 1))
    const writer = await storage.createSnapshot(metaOf(4, 1))
    for (let at = 0; at < STATE.length; at += 100_000) await writer.write(STATE.subarray(at, at + 100_000))
    await writer.commit()
    const reader = await storage.openSnapshot()
    const state = await reader?.read(0, STATE.length)
    await reader?.close()
    return state
  } finally {
    await storage.close()
  }
}

test('what is being written is left alone until the disk has it, though more is gathered meanwhile', async () => {
  const disk = diskWith(async (file, bytes, position) => {
    for (let turn = 0; turn < 100; turn++) await Promise.resolve()
    await file.write(bytes, position)
  })
  // Compared at once: an assertion on four megabytes looks at each byte.
  expect(Buffer.compare((await writeSnapshot(disk)) ?? NOTHING, STATE)).toBe(0)
})

/** Writes the snapshot; this one of its writes fails. @returns how many there were */
async function failingAt(failing: number): Promise<number> {
  let writes = 0
  const disk = diskWith(async (file, bytes, position) => {
    if (++writes === failing) throw new DiskError('DISK_FULL', 'no space')
    await file.write(bytes, position)
  })
  await writeSnapshot(disk)
  return writes
}

for (const failing of [2, 3, 5])
  test(`a snapshot of which write ${String(failing)} failed is never committed`, async () => {
    await expect(failingAt(failing)).rejects.toMatchObject({ code: 'DISK_FULL' })
  })

test('nor one whose last bytes were not written, though what ends the file is', async () => {
  const writes = await failingAt(Infinity)
  await expect(failingAt(writes - 1)).rejects.toMatchObject({ code: 'DISK_FULL' })
})

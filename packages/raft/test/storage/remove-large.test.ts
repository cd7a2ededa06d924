import { seededRandom, type DiskFile, type DiskOpenOptions } from '@lab/rpc'
import { SimDisk } from '@lab/sim'
import { expect, test } from 'vitest'
import { fileStorage } from '../../src/storage/file/index.ts'
import { removeLarge } from '../../src/storage/file/remove-large.ts'
import { OWNER, append, entries, metaOf, takeSnapshot } from '../../src/testing/storage/kit.ts'

const MB = 1024 * 1024
const LARGE = new Uint8Array(20 * MB)

const isSnapshot = (path: string): boolean => path.includes('snapshot-') && !path.endsWith('.tmp')

/** Tells to what size snapshots were cut, and can end before one is removed. */
class WatchedDisk extends SimDisk {
  readonly cuts: number[] = []
  crashes = false

  override async open(path: string, options?: DiskOpenOptions): Promise<DiskFile> {
    const file = await super.open(path, options)
    if (!isSnapshot(path)) return file
    const truncate = file.truncate.bind(file)
    return Object.assign(file, {
      truncate: (size: number) => {
        this.cuts.push(size)
        return truncate(size)
      },
    })
  }

  override remove(path: string): Promise<void> {
    return this.crashes && isSnapshot(path) ? Promise.resolve() : super.remove(path)
  }
}

test('a large snapshot that a newer one replaces is freed in pieces, and what a crash leaves of it is removed by the next start', async () => {
  const disk = new WatchedDisk({ random: seededRandom(1) })
  const first = fileStorage('data', { disk, random: seededRandom(1) })
  await first.open(OWNER)
  await append(first, entries(1, 9, 1))
  disk.crashes = true
  for (const index of [4, 6]) {
    const writer = await first.createSnapshot(metaOf(index, 1))
    await writer.write(LARGE)
    await writer.commit()
  }
  await first.close()
  const sizes = [LARGE.length, ...disk.cuts, 0]
  for (const [at, size] of sizes.slice(1).entries())
    expect((sizes[at] ?? 0) - size).toBeLessThanOrEqual(1.1 * MB)

  disk.crashes = false
  const isThere = async (): Promise<number> => (await disk.list('data')).filter(isSnapshot).length
  expect(await isThere()).toBe(2)
  const second = fileStorage('data', { disk, random: seededRandom(2) })
  const { snapshot } = await second.open(OWNER)
  expect(snapshot?.index).toBe(6)
  expect(await isThere()).toBe(1)
  await second.close()
})

test('a segment is freed in pieces, too, and a crash in their midst leaves nothing that a start takes for damage', async () => {
  const disk = new SimDisk({ random: seededRandom(1) })
  const cut: string[] = []
  let crashed: () => void = () => undefined
  const crash = new Promise<void>((resolve) => (crashed = resolve))
  const open = disk.open.bind(disk)
  disk.open = async (path, options) => {
    const file = await open(path, options)
    const truncate = file.truncate.bind(file)
    file.truncate = async (size) => {
      if (!path.includes('/log-')) return truncate(size)
      cut.push(path)
      // A system may make it durable whenever it likes.
      await truncate(size)
      await file.sync()
      disk.crash()
      crashed()
    }
    return file
  }
  const options = { disk, random: seededRandom(1), segmentBytes: 4 * MB, sparesMax: 0 }
  const first = fileStorage('data', options)
  await first.open(OWNER)
  for (let last = 10; last <= 40; last += 10) await append(first, entries(last - 9, last, 1, 200_000))
  await takeSnapshot(first, metaOf(35, 1))
  void first.compact(35)
  await crash
  expect(cut).toEqual(['data/log-0000000001.tmp'])

  const second = fileStorage('data', options)
  expect(await second.open(OWNER)).toMatchObject({ lastIndex: 40, notes: [] })
  expect((await second.read(36, 40, 10 * MB)).map(({ index }) => index)).toEqual([36, 37, 38, 39, 40])
  expect((await disk.list('data')).filter((name) => name.endsWith('.tmp'))).toEqual([])
  await second.close()
})

test('a file that is gone is no error', async () => {
  const disk = new SimDisk({ random: seededRandom(1) })
  await disk.makeDirectory('data')
  await removeLarge(disk, 'data/snapshot-1')
  expect(await disk.list('data')).toEqual([])
})

import { seededRandom } from '@lab/rpc'
import { SimDisk } from '@lab/sim'
import { describe, expect, test } from 'vitest'
import type { HostStorage } from '../../src/host-storage.ts'
import { fileHostStorage } from '../../src/storage/file/index.ts'
import { OWNER, append, entries, logOf, metaOf, shorts, takeSnapshot } from '../../src/testing/storage/kit.ts'
import { inGroup } from './in-group.ts'
import { CountingDisk, HeldReads, SEGMENT_BYTES, logFiles, openGroup, openHost } from './sim-hosts.ts'

describe('quiet groups', () => {
  test('do not pin old segments: their few entries are written again, and nothing is lost', async () => {
    const disk = new SimDisk({ random: seededRandom(1) })
    const host = await openHost(disk)
    const quiet = await Promise.all([1, 2, 3].map((group) => openGroup(host, group)))
    for (const storage of quiet)
      await append(storage, entries(1, 4, 1, 40), { currentTerm: 3, votedFor: 'n2' })
    const busy = await openGroup(host, 9)
    let most = 0
    for (let last = 10; last <= 2000; last += 10) {
      await append(busy, entries(last - 9, last, 1, 200))
      if (last % 50 !== 0) continue
      await takeSnapshot(busy, metaOf(last, 1))
      await busy.compact(last)
      most = Math.max(most, (await logFiles(disk)).length)
    }
    // 2000 entries are about 120 segments.
    expect(most).toBeLessThanOrEqual(16)
    for (const storage of quiet) expect(await logOf(storage, 1, 9)).toEqual(shorts(1, 4, 1))
    await host.close()

    const again = await openHost(disk)
    for (const group of [1, 2, 3]) {
      const storage = inGroup(again.group(group), group)
      expect(await storage.open(OWNER)).toMatchObject({
        hardState: { currentTerm: 3, votedFor: 'n2' },
        firstIndex: 1,
        lastIndex: 4,
      })
      expect(await logOf(storage, 1, 9)).toEqual(shorts(1, 4, 1))
      await append(storage, entries(5, 6, 4))
    }
    await again.close()
  })

  test('a long log is carried along in pieces, so that no write waits for all of it; what is written between them counts', async () => {
    const disk = new CountingDisk({ random: seededRandom(1) })
    const open = (): HostStorage =>
      fileHostStorage('data', { disk: disk.process(), random: seededRandom(3), segmentBytes: 64 * 1024 })
    const host = open()
    await host.open(OWNER)
    const [quiet, busy] = [await openGroup(host, 1), await openGroup(host, 2)]
    for (let last = 10; last <= 400; last += 10) await append(quiet, entries(last - 9, last, 1, 40))
    for (let last = 10; last <= 8000; last += 10) {
      await append(busy, entries(last - 9, last, 1, 200))
      // As many as a write to a disk takes: copies are made meanwhile.
      for (let turn = 0; turn < 200; turn++) await Promise.resolve()
      if (last % 100 === 0)
        await append(quiet, entries(400 + last / 100, 400 + last / 100, last > 4000 ? 2 : 1, 40))
      if (last === 4000) await append(quiet, entries(300, 440, 2, 40))
      if (last % 500 !== 0) continue
      await takeSnapshot(busy, metaOf(last, 1))
      await busy.compact(last)
    }
    // All that was written takes 35.
    expect((await logFiles(disk)).length).toBeLessThanOrEqual(12)
    // Its log is more than 32 KiB; the largest batch is the one that replaces 141 entries.
    expect(disk.bytesMax).toBeLessThan(16 * 1024)
    const expected = [...shorts(1, 299, 1), ...shorts(300, 480, 2)]
    expect(await logOf(quiet, 1, 999)).toEqual(expected)
    disk.crash()

    const again = open()
    await again.open(OWNER)
    expect(await logOf(await openGroup(again, 1), 1, 999)).toEqual(expected)
    await again.close()
  })

  test('a long log is written again as others write, not in a burst; a log that closes meanwhile does not wait for more', async () => {
    const disk = new CountingDisk({ random: seededRandom(1) })
    const open = (): HostStorage =>
      fileHostStorage('data', { disk: disk.process(), random: seededRandom(3), segmentBytes: 64 * 1024 })
    const turns = async (): Promise<void> => {
      for (let turn = 0; turn < 5000; turn++) await Promise.resolve()
    }
    const host = open()
    await host.open(OWNER)
    const [quiet, busy] = [await openGroup(host, 1), await openGroup(host, 2)]
    for (let last = 50; last <= 400; last += 50) await append(quiet, entries(last - 49, last, 1, 100))
    // Batches that nobody asked for: the most between two writes, and all.
    let most = 0
    let copied = 0
    for (let last = 10; last <= 2400; last += 10) {
      await append(busy, entries(last - 9, last, 1, 200))
      if (last % 500 === 0) {
        await takeSnapshot(busy, metaOf(last, 1))
        await busy.compact(last)
      }
      const before = disk.batches
      await turns()
      most = Math.max(most, disk.batches - before)
      copied += disk.batches - before
    }
    expect(copied).toBeGreaterThan(20)
    // Ten entries of 200 bytes: four times as much may be copied, in pieces of 512 bytes.
    expect(most).toBeLessThanOrEqual(24)
    await host.close()
    const again = open()
    await again.open(OWNER)
    expect(await logOf(await openGroup(again, 1), 1, 999)).toEqual(shorts(1, 400, 1))
    await again.close()
  })

  test('while their entries are read to be written again they are written to, and what is replaced meanwhile does not come back', async () => {
    const disk = new HeldReads({ random: seededRandom(1) })
    const host = await openHost(disk)
    const [quiet, busy] = [await openGroup(host, 1), await openGroup(host, 2)]
    for (let last = 1; last <= 6; last++) await append(quiet, entries(last, last, 1, 40))
    const release = disk.hold()
    const compacted: Promise<void>[] = []
    let last = 0
    while (disk.held === 0 && last < 2000) {
      await append(busy, entries(last + 1, (last += 10), 1, 200))
      if (last % 50 !== 0) continue
      await takeSnapshot(busy, metaOf(last, 1))
      compacted.push(busy.compact(last))
    }
    expect(disk.held).toBeGreaterThan(0)
    await append(quiet, entries(5, 8, 2, 40))
    release()
    await Promise.all(compacted)
    for (const end = last + 1000; last < end;) {
      await append(busy, entries(last + 1, (last += 10), 1, 200))
      if (last % 50 !== 0) continue
      await takeSnapshot(busy, metaOf(last, 1))
      await busy.compact(last)
    }
    expect((await logFiles(disk)).length).toBeLessThanOrEqual(16)
    const expected = [...shorts(1, 4, 1), ...shorts(5, 8, 2)]
    expect(await logOf(quiet, 1, 99)).toEqual(expected)
    disk.crash()

    const again = await openHost(disk)
    expect(await logOf(await openGroup(again, 1), 1, 99)).toEqual(expected)
    await again.close()
  })

  test('what is still of use is not written again and again', async () => {
    const disk = new CountingDisk({ random: seededRandom(1) })
    const host = fileHostStorage('data', { disk, random: seededRandom(3), segmentBytes: SEGMENT_BYTES })
    await host.open(OWNER)
    const [one, two] = [await openGroup(host, 1), await openGroup(host, 2)]
    for (let last = 10; last <= 400; last += 10) {
      await append(one, entries(last - 9, last, 1, 200))
      await append(two, entries(last - 9, last, 1, 200))
    }
    expect(disk.batches).toBe(80)
    await host.close()
  })
})

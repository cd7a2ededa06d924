import fc from 'fast-check'
import { seededRandom, type DiskFile, type DiskOpenOptions } from '@lab/rpc'

import { describe, expect, test } from 'vitest'
import type { Entry } from '../../src/entry.ts'
import { makeEntry } from '../../src/record.ts'
import type { Storage } from '../../src/storage.ts'
import { BatchWriter, type BatchContent } from '../../src/storage/file/batch-writer.ts'
import { batchAt } from '../../src/storage/file/batch.ts'
import { fileStorage } from '../../src/storage/file/index.ts'
import { Positions } from '../../src/storage/file/positions.ts'
import { TermRuns } from '../../src/storage/term-runs.ts'
import {
  OWNER,
  append,
  entries,
  logOf,
  metaOf,
  shortOf,
  shorts,
  takeSnapshot,
} from '../../src/testing/storage/kit.ts'
import { SimDisk } from '@lab/sim'

describe('segments', () => {
  async function openOn(disk: SimDisk, sparesMax = 2): Promise<Storage> {
    const storage = fileStorage('data', { disk, random: seededRandom(9), segmentBytes: 4096, sparesMax })
    await storage.open(OWNER)
    return storage
  }
  const logFiles = async (disk: SimDisk): Promise<string[]> =>
    (await disk.list('data')).filter((name) => name.startsWith('log-'))

  test('an idle server has one; the next is filled as the one in use is written to, and ready when three quarters are used', async () => {
    const disk = new SimDisk({ random: seededRandom(1) })
    const segmentBytes = 4 * 1024 * 1024
    const storage = fileStorage('data', { disk, random: seededRandom(9), segmentBytes })
    await storage.open(OWNER)
    const filled = async (): Promise<number> => {
      for (let turns = 0; turns < 500; turns++) await Promise.resolve()
      return disk.paths.includes('data/log.tmp') ? disk.bytes('data/log.tmp').length / segmentBytes : 0
    }
    const shares: number[] = []
    for (let last = 10; last <= 160; last += 10) {
      await append(storage, entries(last - 9, last, 1, 20_000))
      const share = await filled()
      const used = (last * 20_100) / segmentBytes
      if (used < 0.25) expect(share).toBe(0)
      else if (used < 0.7) expect(Math.abs(share - (2 * used - 0.5))).toBeLessThan(0.05)
      shares.push(share)
    }
    expect(Math.max(...shares)).toBeGreaterThan(0.8)
    expect(await logFiles(disk)).toEqual(['log-0000000001', 'log-0000000002'])
    // Not filled to its end yet, and no part of the log: a start begins anew.
    await append(storage, entries(161, 230, 1, 20_000))
    await append(storage, entries(231, 300, 1, 20_000))
    expect(await filled()).toBeGreaterThan(0.2)
    await storage.close()
    const again = fileStorage('data', { disk, random: seededRandom(9), segmentBytes })
    expect(await again.open(OWNER)).toMatchObject({ lastIndex: 300, notes: [] })
    await again.close()
  })

  test('one that a write waits for is not filled to its end: the write does not wait for zeros', async () => {
    const disk = new SimDisk({ random: seededRandom(1) })
    const segmentBytes = 8 * 1024 * 1024
    let zeros = 0
    const open = disk.open.bind(disk)
    disk.open = async (path, options) => {
      const file = await open(path, options)
      const write = file.write.bind(file)
      if (path.endsWith('log.tmp'))
        file.write = async (bytes, at) => {
          zeros += bytes.length
          await write(bytes, at)
        }
      return file
    }
    const storage = fileStorage('data', { disk, random: seededRandom(9), segmentBytes })
    await storage.open(OWNER)
    expect(zeros).toBe(segmentBytes)
    // Each fills more than half: the next is not ready when it is needed.
    for (let last = 10; last <= 40; last += 10) await append(storage, entries(last - 9, last, 1, 500_000))
    expect(zeros).toBeLessThan(2 * segmentBytes)
    disk.crash()
    const again = fileStorage('data', { disk, random: seededRandom(9), segmentBytes })
    expect(await again.open(OWNER)).toMatchObject({ lastIndex: 40, notes: [] })
    expect((await again.read(31, 31, 1))[0]?.index).toBe(31)
    await again.close()
  })

  test('those no longer needed are used again, and the folder does not grow', async () => {
    const disk = new SimDisk({ random: seededRandom(1) })
    const storage = await openOn(disk)
    for (let last = 10; last <= 2000; last += 10) {
      await append(storage, entries(last - 9, last, 1, 200))
      if (last % 50 !== 0) continue
      await takeSnapshot(storage, metaOf(last, 1))
      await storage.compact(last)
    }
    const files = await logFiles(disk)
    expect(files.length).toBeLessThanOrEqual(6)
    expect(files[0]).not.toBe('log-0000000001')
    await storage.close()
  })

  test('a snapshot that somebody reads stays in the folder until its reader closes, also when a newer one is there', async () => {
    const disk = new SimDisk({ random: seededRandom(1) })
    const storage = await openOn(disk)
    const snapshots = async (): Promise<number> =>
      (await disk.list('data')).filter((name) => name.startsWith('snapshot')).length
    await append(storage, entries(1, 20, 1))
    await takeSnapshot(storage, metaOf(10, 1))
    const reader = await storage.openSnapshot()
    await takeSnapshot(storage, metaOf(20, 1))
    // Some systems do not let go of a file that is open, and on others nobody else could read it any more.
    expect(await snapshots()).toBe(2)
    expect(reader?.meta.index).toBe(10)
    await reader?.close()
    expect(await snapshots()).toBe(1)
    await storage.close()
  })

  test('with none kept in reserve they are removed', async () => {
    const disk = new SimDisk({ random: seededRandom(1) })
    const storage = await openOn(disk, 0)
    for (let last = 10; last <= 200; last += 10) await append(storage, entries(last - 9, last, 1, 200))
    await takeSnapshot(storage, metaOf(200, 1))
    await storage.compact(200)
    expect((await logFiles(disk)).length).toBeLessThanOrEqual(2)
    expect(await storage.read(1, 200, 1e6)).toEqual([])
    await storage.close()
  })

  test('their size may change from one start to the next', async () => {
    const disk = new SimDisk({ random: seededRandom(1) })
    let first = 1
    for (const segmentBytes of [4096, 64 * 1024, 8192, 4096]) {
      const storage = fileStorage('data', { disk, random: seededRandom(first), segmentBytes })
      await storage.open(OWNER)
      expect(await logOf(storage, 1, first)).toEqual(shorts(1, first - 1, 1))
      for (let count = 0; count < 30; count++, first += 2)
        await append(storage, entries(first, first + 1, 1, 300))
      await storage.close()
    }
  })
})

describe('reading from segments', () => {
  /** Reads of this disk wait until they are let through. */
  class SlowDisk extends SimDisk {
    gate: Promise<void> = Promise.resolve()

    override async open(path: string, options?: DiskOpenOptions): Promise<DiskFile> {
      const file = await super.open(path, options)
      const read = file.read.bind(file)
      return Object.assign(file, {
        read: async (position: number, length: number) => {
          await this.gate
          return read(position, length)
        },
      })
    }
  }

  test('what is being read is not written over', async () => {
    const disk = new SlowDisk({ random: seededRandom(1) })
    const storage = fileStorage('data', { disk, random: seededRandom(2), segmentBytes: 4096 })
    await storage.open(OWNER)
    for (let first = 1; first <= 91; first += 10) await append(storage, entries(first, first + 9, 1, 200))
    await takeSnapshot(storage, metaOf(100, 1))
    let letThrough: () => void = () => undefined
    disk.gate = new Promise((resolve) => {
      letThrough = resolve
    })
    const reading = storage.read(1, 100, 1_000_000)
    const compacting = storage.compact(100)
    for (let first = 101; first <= 291; first += 10) await append(storage, entries(first, first + 9, 1, 200))
    letThrough()
    expect((await reading).map(shortOf)).toEqual(shorts(1, 100, 1))
    await compacting
    expect(await logOf(storage, 101, 300)).toEqual(shorts(101, 300, 1))
    await storage.close()
  })

  test('a bit that rotted since the start is noticed where it is read, and what it says is not given', async () => {
    const disk = new SimDisk({ random: seededRandom(1) })
    const storage = fileStorage('data', { disk, random: seededRandom(2), segmentBytes: 64 * 1024 })
    await storage.open(OWNER)
    for (let first = 1; first <= 46; first += 5) await append(storage, entries(first, first + 4, 1, 30))
    const bytes = disk.bytes('data/log-0000000001')
    let noticed = 0
    for (let at = 512; at < 512 + 10 * 512; at += 3) {
      const was = bytes[at] ?? 0
      bytes[at] = was ^ (1 << (at % 8))
      const read = await storage.read(1, 50, 1_000_000).catch((thrown: unknown) => thrown)
      if (read instanceof Error) {
        noticed++
        expect(read).toMatchObject({
          code: 'CORRUPT',
          message: expect.stringMatching(/log-0000000001, offset \d+: entry \d+ is damaged/) as string,
        })
      } else expect((read as Entry[]).map(shortOf)).toEqual(shorts(1, 50, 1))
      bytes[at] = was
    }
    // All but headers of batches and what fills their sectors.
    expect(noticed).toBeGreaterThanOrEqual((50 * 70) / 3 - 50)
    await storage.close()
  })
})

describe('a batch', () => {
  const writer = new BatchWriter()
  const content = (payload: number, count: number): BatchContent => ({
    sequence: 5,
    salt: Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8),
    segment: null,
    parts: [
      {
        group: 0,
        removed: false,
        hardState: null,
        logStart: null,
        entries: Array.from({ length: count }, (_, i) =>
          makeEntry({
            group: 0,
            kind: 1,
            index: i + 1,
            term: 1,
            time: 0,
            payload: new Uint8Array(100).fill(payload),
          }),
        ),
      },
    ],
  })

  test('fills whole sectors and reads back', () => {
    const { bytes } = writer.encode(content(1, 3))
    expect(bytes.length % 512).toBe(0)
    expect(batchAt(bytes, 0, null)).toMatchObject({ sequence: 5, end: bytes.length, records: { length: 3 } })
  })

  test('with a record of another batch of the same sequence, itself whole, is not whole', () => {
    const one = writer.encode(content(1, 3)).bytes.slice()
    const other = writer.encode(content(2, 3)).bytes.slice()
    one.set(other.subarray(32 + 140, 32 + 280), 32 + 140)
    expect(batchAt(one, 0, null)).toBeNull()
  })

  test('of another salt is none of this segment', () => {
    const { bytes } = writer.encode(content(1, 3))
    expect(batchAt(bytes, 0, Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 9))).toBeNull()
  })
})

test('positions find the mark to read from, as a naive list does', () => {
  fc.assert(
    fc.property(
      fc.array(fc.record({ back: fc.nat(3), bytes: fc.integer({ min: 1, max: 6000 }), roll: fc.boolean() }), {
        maxLength: 200,
      }),
      (puts) => {
        const positions = new Positions()
        const naive: { segment: number; position: number }[] = []
        let [segment, position] = [1, 512]
        for (const { back, bytes, roll } of puts) {
          if (roll && position > 20_000) [segment, position] = [segment + 1, 512]
          const index = Math.max(1, naive.length + 1 - back)
          positions.put(index, segment, position, bytes)
          naive.length = index - 1
          naive.push({ segment, position })
          position += bytes
        }
        for (const [i, place] of naive.entries()) {
          const which = positions.find(i + 1)
          const mark = positions.at(which)
          const next = positions.at(which + 1)
          expect(mark?.segment).toBe(place.segment)
          expect(mark?.position).toBeLessThanOrEqual(place.position)
          expect(naive[(mark?.index ?? 0) - 1]).toEqual({ segment: mark?.segment, position: mark?.position })
          expect(next?.index ?? Infinity).toBeGreaterThan(i + 1)
        }
      },
    ),
  )
})

test('runs of terms say what a list of terms says', () => {
  fc.assert(
    fc.property(
      fc.array(fc.record({ back: fc.nat(4), term: fc.integer({ min: 1, max: 4 }), forget: fc.nat(9) }), {
        maxLength: 100,
      }),
      (puts) => {
        const runs = new TermRuns()
        const naive = new Map<number, number>([[0, 0]])
        let start = 0
        for (const { back, term, forget } of puts) {
          const index = Math.max(start + 1, runs.lastIndex + 1 - back)
          runs.put(index, term)
          for (const key of [...naive.keys()]) if (key >= index) naive.delete(key)
          naive.set(index, term)
          if (forget > 0) continue
          start = Math.min(runs.lastIndex, start + 2)
          runs.removeTo(start)
          for (const key of [...naive.keys()]) if (key < start) naive.delete(key)
        }
        for (let index = start - 2; index <= runs.lastIndex + 2; index++)
          expect(runs.termAt(index)).toBe(naive.get(index) ?? null)
        expect(runs.lastTerm).toBe(naive.get(runs.lastIndex))
      },
    ),
  )
})

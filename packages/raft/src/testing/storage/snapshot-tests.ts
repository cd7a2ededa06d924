import type { StoragePlace } from '../storage-suite.ts'
import { crc32 } from '../../crc32.ts'
import {
  append,
  check,
  entries,
  equal,
  logOf,
  metaOf,
  openOn,
  refused,
  restart,
  shorts,
  snapshotOf,
  stateOf,
  takeSnapshot,
  type StorageTest,
} from './kit.ts'

export const snapshotTests: readonly StorageTest[] = [
  {
    title: 'a snapshot that the log goes on from leaves the entries after it (§7)',
    async run(place: StoragePlace): Promise<void> {
      const first = await openOn(place)
      await append(first.storage, entries(1, 9, 2))
      await takeSnapshot(first.storage, metaOf(5, 2))
      await first.storage.compact(5)
      equal(await logOf(first.storage, 6, 9), shorts(6, 9, 2), 'before the restart')
      const { storage, recovered } = await restart(place, first.storage)
      equal(recovered.snapshot, metaOf(5, 2), 'meta')
      equal(recovered.lastIndex, 9, 'last index')
      equal(await logOf(storage, 6, 9), shorts(6, 9, 2), 'entries')
      equal(await snapshotOf(storage), { meta: metaOf(5, 2), state: stateOf(5, 100) }, 'snapshot')
      await storage.close()
    },
  },
  {
    title: 'a snapshot that ends after the log replaces all of it (§7)',
    async run(place: StoragePlace): Promise<void> {
      const first = await openOn(place)
      await append(first.storage, entries(1, 9, 2), { currentTerm: 3, votedFor: 'n2' })
      await takeSnapshot(first.storage, metaOf(20, 3))
      equal(await first.storage.read(1, 30, 1000), [], 'nothing is left of the log')
      const second = await restart(place, first.storage)
      equal([second.recovered.firstIndex, second.recovered.lastIndex], [21, 20], 'log')
      equal(second.recovered.hardState, { currentTerm: 3, votedFor: 'n2' }, 'hard state')
      await append(second.storage, entries(21, 25, 3))
      const third = await restart(place, second.storage)
      equal([third.recovered.firstIndex, third.recovered.lastIndex], [21, 25], 'log')
      equal(await logOf(third.storage, 21, 25), shorts(21, 25, 3), 'entries')
      await third.storage.close()
    },
  },
  {
    title: 'a snapshot whose last entry the log holds with another term replaces all of it (§7)',
    async run(place: StoragePlace): Promise<void> {
      const first = await openOn(place)
      await append(first.storage, entries(1, 30, 1))
      await takeSnapshot(first.storage, metaOf(20, 4))
      // These overlap what was dropped: a start must not take the old beginning for theirs.
      await append(first.storage, entries(21, 24, 4))
      const { storage, recovered } = await restart(place, first.storage)
      equal([recovered.firstIndex, recovered.lastIndex], [21, 24], 'log')
      equal(recovered.terms, [{ first: 21, term: 4 }], 'terms')
      equal(await logOf(storage, 21, 30), shorts(21, 24, 4), 'entries')
      await storage.close()
    },
  },
  {
    title: 'what was forgotten up to a place where the log was replaced is not missed at a start',
    async run(place: StoragePlace): Promise<void> {
      const first = await openOn(place)
      for (let at = 1; at < 100; at += 10) await append(first.storage, entries(at, at + 9, 1, 400))
      await append(first.storage, entries(50, 60, 2, 400))
      await takeSnapshot(first.storage, metaOf(49, 1))
      await first.storage.compact(49)
      const { storage, recovered } = await restart(place, first.storage)
      equal(recovered.lastIndex, 60, 'last index')
      equal(await logOf(storage, 50, 60), shorts(50, 60, 2), 'entries')
      await storage.close()
    },
  },
  {
    title: 'a snapshot on an empty log is where the log starts',
    async run(place: StoragePlace): Promise<void> {
      const first = await openOn(place)
      await takeSnapshot(first.storage, metaOf(7, 2))
      const { storage, recovered } = await restart(place, first.storage)
      equal(recovered.fresh, false, 'fresh')
      equal([recovered.firstIndex, recovered.lastIndex], [8, 7], 'log')
      await storage.close()
    },
  },
  {
    title: 'a snapshot counts only once it is committed',
    async run(place: StoragePlace): Promise<void> {
      const first = await openOn(place)
      await append(first.storage, entries(1, 9, 1))
      await takeSnapshot(first.storage, metaOf(3, 1))
      const aborted = await first.storage.createSnapshot(metaOf(5, 1))
      await aborted.write(stateOf(5, 1000))
      await aborted.abort()
      const left = await first.storage.createSnapshot(metaOf(6, 1))
      await left.write(stateOf(6, 1000))
      const { storage, recovered } = await restart(place, first.storage)
      equal(recovered.snapshot, metaOf(3, 1), 'the committed one')
      await takeSnapshot(storage, metaOf(6, 1))
      equal((await snapshotOf(storage))?.meta, metaOf(6, 1), 'another try')
      await storage.close()
    },
  },
  {
    title: 'a snapshot that arrived damaged is refused, and the one before stays',
    async run(place: StoragePlace): Promise<void> {
      const { storage } = await openOn(place)
      await append(storage, entries(1, 9, 1))
      await takeSnapshot(storage, metaOf(3, 1))
      const state = stateOf(5, 1000)
      for (const expected of [
        { size: 1001, crc: crc32(state) },
        { size: 1000, crc: crc32(state) ^ 1 },
      ]) {
        const writer = await storage.createSnapshot(metaOf(5, 1))
        await writer.write(state)
        await refused('CORRUPT', () => writer.commit(expected), 'damaged')
      }
      equal((await snapshotOf(storage))?.meta, metaOf(3, 1), 'the one before')
      const writer = await storage.createSnapshot(metaOf(5, 1))
      await writer.write(state)
      await writer.commit({ size: 1000, crc: crc32(state) })
      equal((await snapshotOf(storage))?.meta, metaOf(5, 1), 'the right one')
      await storage.close()
    },
  },
  {
    title: 'an older snapshot never takes the place of a newer one',
    async run(place: StoragePlace): Promise<void> {
      const { storage } = await openOn(place)
      await append(storage, entries(1, 9, 1))
      await takeSnapshot(storage, metaOf(6, 1))
      await takeSnapshot(storage, metaOf(3, 1))
      await takeSnapshot(storage, metaOf(6, 1), stateOf(99, 10))
      equal(await snapshotOf(storage), { meta: metaOf(6, 1), state: stateOf(6, 100) }, 'the newest')
      const again = await restart(place, storage)
      equal(again.recovered.snapshot, metaOf(6, 1), 'after a restart')
      await again.storage.close()
    },
  },
  {
    title: 'a large snapshot, written in uneven chunks, reads right at any offset',
    async run(place: StoragePlace): Promise<void> {
      const state = stateOf(4, 2_500_000)
      const { storage } = await openOn(place)
      await append(storage, entries(1, 9, 1))
      const writer = await storage.createSnapshot(metaOf(4, 1))
      for (let at = 0, size = 1; at < state.length; at += size, size = size < 300_000 ? size * 3 + 1 : 1)
        await writer.write(state.subarray(at, at + size))
      await writer.commit({ size: state.length, crc: crc32(state) })
      const reader = await storage.openSnapshot()
      check(reader !== null, 'a snapshot is there')
      equal([reader?.size, reader?.crc], [state.length, crc32(state)], 'size and crc')
      for (const [offset, length] of [
        [0, 10],
        [65_535, 2],
        [65_536, 65_536],
        [1000, 1_200_000],
        [1_048_570, 20],
        [2_499_999, 50],
      ] as const)
        equal(
          await reader?.read(offset, length),
          state.subarray(offset, offset + length),
          `offset ${String(offset)}`,
        )
      equal(await reader?.read(2_500_000, 10), new Uint8Array(0), 'at the end')
      await reader?.close()
      await storage.close()
    },
  },
  {
    title: 'a snapshot keeps what was written, whatever becomes of the memory of its chunks',
    async run(place: StoragePlace): Promise<void> {
      const state = stateOf(4, 300_000)
      const { storage } = await openOn(place)
      await append(storage, entries(1, 9, 1))
      const writer = await storage.createSnapshot(metaOf(4, 1))
      const chunk = new Uint8Array(70_000)
      for (let at = 0; at < state.length; at += chunk.length) {
        const part = state.subarray(at, at + chunk.length)
        chunk.set(part)
        await writer.write(chunk.subarray(0, part.length))
        chunk.fill(0)
      }
      await writer.commit({ size: state.length, crc: crc32(state) })
      equal((await snapshotOf(storage))?.state, state, 'what is read')
      await storage.close()
    },
  },
  {
    title: 'an empty snapshot is a snapshot',
    async run(place: StoragePlace): Promise<void> {
      const { storage } = await openOn(place)
      await append(storage, entries(1, 2, 1))
      await takeSnapshot(storage, metaOf(2, 1), new Uint8Array(0))
      const again = await restart(place, storage)
      equal(await snapshotOf(again.storage), { meta: metaOf(2, 1), state: new Uint8Array(0) }, 'snapshot')
      await again.storage.close()
    },
  },
  {
    title: 'a reader goes on reading its snapshot while newer ones are committed',
    async run(place: StoragePlace): Promise<void> {
      const { storage } = await openOn(place)
      await append(storage, entries(1, 9, 1))
      await takeSnapshot(storage, metaOf(3, 1), stateOf(3, 5000))
      const reader = await storage.openSnapshot()
      await takeSnapshot(storage, metaOf(5, 1))
      await takeSnapshot(storage, metaOf(7, 1))
      equal(await reader?.read(100, 4900), stateOf(3, 5000).subarray(100), 'the old one')
      await reader?.close()
      equal((await snapshotOf(storage))?.meta, metaOf(7, 1), 'the new one')
      await storage.close()
    },
  },
]

import type { StoragePlace } from '../storage-suite.ts'
import {
  append,
  entries,
  equal,
  logOf,
  metaOf,
  openOn,
  shortOf,
  shorts,
  takeSnapshot,
  type StorageTest,
} from './kit.ts'

export const readTests: readonly StorageTest[] = [
  {
    title: 'a read gives both ends, and what there is of more',
    async run(place: StoragePlace): Promise<void> {
      const { storage } = await openOn(place)
      await append(storage, entries(1, 20, 1))
      const read = async (first: number, last: number): Promise<string[]> =>
        (await storage.read(first, last, 1_000_000)).map(shortOf)
      equal(await read(1, 20), shorts(1, 20, 1), 'all')
      equal(await read(7, 9), shorts(7, 9, 1), 'the middle')
      equal(await read(20, 20), shorts(20, 20, 1), 'the last')
      equal(await read(18, 30), shorts(18, 20, 1), 'more than there is')
      equal(await read(21, 30), [], 'past the end')
      await storage.close()
    },
  },
  {
    title: 'a read stops once bytesMax is passed, and gives one entry at least',
    async run(place: StoragePlace): Promise<void> {
      const { storage } = await openOn(place)
      await append(storage, entries(1, 100, 1, 1000))
      equal((await storage.read(5, 100, 1)).map(shortOf), shorts(5, 5, 1), 'one at least')
      equal((await storage.read(5, 100, 0)).map(shortOf), shorts(5, 5, 1), 'one even for 0')
      const some = await storage.read(5, 100, 10_000)
      equal(some.length >= 9 && some.length <= 11, true, `about ten entries, not ${String(some.length)}`)
      equal(await logOf(storage, 1, 100), shorts(1, 100, 1), 'read piece by piece')
      await storage.close()
    },
  },
  {
    title: 'reads beside a write give what was durable when they began',
    async run(place: StoragePlace): Promise<void> {
      const { storage } = await openOn(place)
      await append(storage, entries(1, 50, 1, 200))
      const [, read] = await Promise.all([
        append(storage, entries(40, 60, 2, 200)),
        storage.read(1, 39, 1_000_000),
      ])
      equal(read.map(shortOf), shorts(1, 39, 1), 'entries')
      equal(
        (await storage.read(38, 41, 1_000_000)).map(shortOf),
        [...shorts(38, 39, 1), ...shorts(40, 41, 2)],
        'after',
      )
      await storage.close()
    },
  },
  {
    title: 'entries that were forgotten are given no more, or as they were',
    async run(place: StoragePlace): Promise<void> {
      const { storage } = await openOn(place)
      for (let first = 1; first < 100; first += 10) await append(storage, entries(first, first + 9, 1, 400))
      await takeSnapshot(storage, metaOf(60, 1))
      await storage.compact(50)
      const gone = await storage.read(40, 50, 1_000_000)
      if (gone.length > 0) equal(gone.map(shortOf), shorts(40, 50, 1), 'forgotten entries')
      equal((await storage.read(51, 100, 1_000_000)).map(shortOf), shorts(51, 100, 1), 'kept entries')
      await storage.close()
    },
  },
  {
    title: 'a read while what it reads is being forgotten gives right entries or none',
    async run(place: StoragePlace): Promise<void> {
      const { storage } = await openOn(place)
      for (let first = 1; first < 200; first += 10) await append(storage, entries(first, first + 9, 1, 400))
      await takeSnapshot(storage, metaOf(200, 1))
      const reading = storage.read(1, 150, 1_000_000)
      const compacting = storage.compact(200)
      const writing = append(storage, entries(201, 240, 1, 400))
      const read = await reading
      if (read.length > 0) equal(read.map(shortOf), shorts(1, 150, 1), 'entries')
      await Promise.all([compacting, writing])
      equal(await logOf(storage, 201, 240), shorts(201, 240, 1), 'what was written meanwhile')
      await storage.close()
    },
  },
]

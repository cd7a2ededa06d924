import type { StoragePlace } from '../storage-suite.ts'
import { EntryKind } from '../../entry.ts'
import {
  append,
  entries,
  entry,
  equal,
  logOf,
  openOn,
  restart,
  shorts,
  takeSnapshot,
  metaOf,
  type StorageTest,
} from './kit.ts'

export const logTests: readonly StorageTest[] = [
  {
    title: 'entries written are there after a restart, with their terms and the last log time',
    async run(place: StoragePlace): Promise<void> {
      const first = await openOn(place)
      await append(first.storage, entries(1, 3, 1))
      await append(first.storage, [...entries(4, 4, 1), ...entries(5, 9, 4)])
      const { storage, recovered } = await restart(place, first.storage)
      equal([recovered.firstIndex, recovered.lastIndex], [1, 9], 'log')
      equal(
        recovered.terms,
        [
          { first: 1, term: 1 },
          { first: 5, term: 4 },
        ],
        'terms',
      )
      equal(recovered.lastTime, 1009, 'last log time')
      equal(await logOf(storage, 1, 9), [...shorts(1, 4, 1), ...shorts(5, 9, 4)], 'entries')
      await storage.close()
    },
  },
  {
    title: 'an entry of another term replaces the one at its index and all after it (§5.3)',
    async run(place: StoragePlace): Promise<void> {
      const first = await openOn(place)
      await append(first.storage, entries(1, 9, 1))
      await append(first.storage, entries(4, 5, 2))
      equal(await logOf(first.storage, 1, 9), [...shorts(1, 3, 1), ...shorts(4, 5, 2)], 'before the restart')
      const { storage, recovered } = await restart(place, first.storage)
      equal(recovered.lastIndex, 5, 'last index')
      equal(
        recovered.terms,
        [
          { first: 1, term: 1 },
          { first: 4, term: 2 },
        ],
        'terms',
      )
      equal(await logOf(storage, 1, 9), [...shorts(1, 3, 1), ...shorts(4, 5, 2)], 'entries')
      await append(storage, entries(6, 7, 2))
      equal(await logOf(storage, 3, 7), [...shorts(3, 3, 1), ...shorts(4, 7, 2)], 'and it goes on')
      await storage.close()
    },
  },
  {
    title: 'an append that comes twice, or late and shorter, takes nothing away (§5.3)',
    async run(place: StoragePlace): Promise<void> {
      const first = await openOn(place)
      await append(first.storage, entries(1, 9, 1))
      await append(first.storage, entries(2, 4, 1))
      await append(first.storage, entries(1, 9, 1))
      const { storage, recovered } = await restart(place, first.storage)
      equal(recovered.lastIndex, 9, 'last index')
      equal(await logOf(storage, 1, 9), shorts(1, 9, 1), 'entries')
      await storage.close()
    },
  },
  {
    title: 'an append that overlaps adds what is new, and replaces from the first conflict on (§5.3)',
    async run(place: StoragePlace): Promise<void> {
      const first = await openOn(place)
      await append(first.storage, entries(1, 5, 1))
      await append(first.storage, entries(4, 8, 1))
      await append(first.storage, [...entries(6, 7, 1), ...entries(8, 10, 3)])
      const { storage } = await restart(place, first.storage)
      equal(await logOf(storage, 1, 99), [...shorts(1, 7, 1), ...shorts(8, 10, 3)], 'entries')
      await storage.close()
    },
  },
  {
    title: 'the whole log can be replaced, more than once',
    async run(place: StoragePlace): Promise<void> {
      let { storage } = await openOn(place)
      for (let term = 1; term <= 5; term++) {
        await append(storage, entries(1, 10 - term, term))
        storage = (await restart(place, storage)).storage
        equal(await logOf(storage, 1, 99), shorts(1, 10 - term, term), `term ${String(term)}`)
      }
      await storage.close()
    },
  },
  {
    title: 'configurations are found again, those that were replaced are not',
    async run(place: StoragePlace): Promise<void> {
      const configuration = { kind: EntryKind.configuration }
      const first = await openOn(place)
      await append(first.storage, [entry(1, 1, configuration), entry(2, 1), entry(3, 1, configuration)])
      await append(first.storage, [entry(3, 2), entry(4, 2, configuration)])
      const { storage, recovered } = await restart(place, first.storage)
      const found = recovered.configurations.map(({ index, term }) => [index, term])
      equal(
        found,
        [
          [1, 1],
          [4, 2],
        ],
        'configurations',
      )
      await storage.close()
    },
  },
  {
    title: 'many entries of many sizes, in batches of many sizes, are all there',
    async run(place: StoragePlace): Promise<void> {
      const first = await openOn(place)
      let last = 0
      for (const count of [1, 50, 2, 200, 1, 1, 700]) {
        const batch = Array.from({ length: count }, (_, i) =>
          entry(last + 1 + i, 1, { bytes: ((last + i) * 37) % 900 }),
        )
        await append(first.storage, batch)
        last += count
      }
      const { storage, recovered } = await restart(place, first.storage)
      equal(recovered.lastIndex, last, 'last index')
      equal(await logOf(storage, 1, last), shorts(1, last, 1), 'entries')
      await storage.close()
    },
  },
  {
    title: 'a batch of several megabytes is kept whole',
    async run(place: StoragePlace): Promise<void> {
      const first = await openOn(place)
      await append(first.storage, entries(1, 2, 1))
      await append(first.storage, entries(3, 5, 1, 1_000_000))
      await append(first.storage, entries(6, 7, 1))
      const { storage } = await restart(place, first.storage)
      equal(await logOf(storage, 1, 7), shorts(1, 7, 1), 'entries')
      await storage.close()
    },
  },
  {
    title: 'forgetting a prefix keeps the rest, across restarts',
    async run(place: StoragePlace): Promise<void> {
      let { storage } = await openOn(place)
      for (let first = 1; first <= 200; first += 10) {
        await append(storage, entries(first, first + 9, 1, 300))
        await takeSnapshot(storage, metaOf(first + 4, 1))
        await storage.compact(first + 4)
        const again = await restart(place, storage)
        storage = again.storage
        equal(again.recovered.lastIndex, first + 9, 'last index')
        equal(again.recovered.firstIndex <= first + 5, true, 'first index')
        equal(await logOf(storage, first + 5, 999), shorts(first + 5, first + 9, 1), 'entries')
      }
      await storage.close()
    },
  },
]

import type { StoragePlace } from '../storage-suite.ts'
import {
  append,
  entries,
  equal,
  logOf,
  metaOf,
  openOn,
  restart,
  shorts,
  takeSnapshot,
  type StorageTest,
} from './kit.ts'

export const hardStateTests: readonly StorageTest[] = [
  {
    title: 'term and vote are there after a restart (Figure 2, persistent state)',
    async run(place: StoragePlace): Promise<void> {
      const first = await openOn(place)
      await append(first.storage, [], { currentTerm: 3, votedFor: 'n2' })
      const second = await restart(place, first.storage)
      equal(second.recovered.hardState, { currentTerm: 3, votedFor: 'n2' }, 'hard state')
      await append(second.storage, [], { currentTerm: 4, votedFor: '' })
      const third = await restart(place, second.storage)
      equal(third.recovered.hardState, { currentTerm: 4, votedFor: '' }, 'a new term has no vote yet')
      await third.storage.close()
    },
  },
  {
    title: 'term, vote and entries go together; entries alone leave term and vote as they were',
    async run(place: StoragePlace): Promise<void> {
      const first = await openOn(place)
      await append(first.storage, entries(1, 3, 5), { currentTerm: 5, votedFor: 'n1' })
      await append(first.storage, entries(4, 6, 5))
      const { storage, recovered } = await restart(place, first.storage)
      equal(recovered.hardState, { currentTerm: 5, votedFor: 'n1' }, 'hard state')
      equal(await logOf(storage, 1, 6), shorts(1, 6, 5), 'entries')
      await storage.close()
    },
  },
  {
    title: 'term and vote outlive the entries that were written with them',
    async run(place: StoragePlace): Promise<void> {
      let { storage } = await openOn(place)
      await append(storage, entries(1, 1, 2), { currentTerm: 2, votedFor: 'n3' })
      for (let last = 2; last <= 100; last++) await append(storage, entries(last, last, 2, 500))
      await takeSnapshot(storage, metaOf(100, 2))
      await storage.compact(100)
      for (let count = 0; count < 3; count++) {
        const again = await restart(place, storage)
        storage = again.storage
        equal(again.recovered.hardState, { currentTerm: 2, votedFor: 'n3' }, 'hard state')
        equal(again.recovered.lastIndex, 100, 'last index')
      }
      await storage.close()
    },
  },
]

import type { StoragePlace } from '../storage-suite.ts'
import {
  append,
  entries,
  equal,
  logOf,
  metaOf,
  openOn,
  shorts,
  snapshotOf,
  stateOf,
  takeSnapshot,
  type StorageTest,
} from './kit.ts'

export const crashTests: readonly StorageTest[] = [
  {
    title: 'what was acknowledged is there after a crash',
    needs: 'crash',
    async run(place: StoragePlace): Promise<void> {
      const { storage } = await openOn(place)
      for (let index = 1; index <= 20; index++)
        await append(storage, entries(index, index, 1, 200), { currentTerm: 1, votedFor: 'n1' })
      await takeSnapshot(storage, metaOf(10, 1))
      await storage.rememberPeer('n2', 'aaaaaaaaaaaaaaaa')
      await crash(place)
      const after = await openOn(place)
      equal(await logOf(after.storage, 11, 99), shorts(11, 20, 1), 'entries')
      equal(after.recovered.hardState, { currentTerm: 1, votedFor: 'n1' }, 'hard state')
      equal(await snapshotOf(after.storage), { meta: metaOf(10, 1), state: stateOf(10, 100) }, 'snapshot')
      equal([...after.recovered.peers], [['n2', 'aaaaaaaaaaaaaaaa']], 'peers')
      await after.storage.close()
    },
  },
  {
    title: 'a write cut short by a crash is there whole or not at all, term and vote with it',
    needs: 'crash',
    async run(place: StoragePlace): Promise<void> {
      const { storage } = await openOn(place)
      await append(storage, entries(1, 5, 1), { currentTerm: 1, votedFor: 'n1' })
      const cut = append(storage, entries(4, 30, 2, 300), { currentTerm: 2, votedFor: 'n3' })
      cut.catch(() => undefined)
      await crash(place)
      const { storage: after, recovered } = await openOn(place)
      const log = await logOf(after, 1, 99)
      const isThere = recovered.hardState.currentTerm === 2
      equal(recovered.hardState.votedFor, isThere ? 'n3' : 'n1', 'vote')
      equal(log, isThere ? [...shorts(1, 3, 1), ...shorts(4, 30, 2)] : shorts(1, 5, 1), 'log')
      await append(after, entries(6, 8, 3))
      equal((await logOf(after, 6, 8)).join(' '), '6@3 7@3 8@3', 'and it goes on')
      await after.close()
    },
  },
]

async function crash(place: StoragePlace): Promise<void> {
  if (place.crash === undefined) throw new Error('the place cannot crash: say so in `lacks`')
  await place.crash()
}

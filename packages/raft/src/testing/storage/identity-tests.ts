import type { StoragePlace } from '../storage-suite.ts'
import { OWNER, check, entries, append, equal, openOn, refused, restart, type StorageTest } from './kit.ts'

export const identityTests: readonly StorageTest[] = [
  {
    title: 'an empty place is fresh, and belongs to who opened it',
    async run(place: StoragePlace): Promise<void> {
      const { storage, recovered } = await openOn(place)
      equal(recovered.fresh, true, 'fresh')
      equal([recovered.identity.clusterId, recovered.identity.nodeId], ['suite', 'n1'], 'owner')
      check(/^[0-9a-f]{16}$/.test(recovered.identity.incarnation), 'an incarnation of sixteen digits')
      equal(recovered.hardState, { currentTerm: 0, votedFor: '' }, 'hard state')
      equal([recovered.firstIndex, recovered.lastIndex, recovered.lastTime], [1, 0, 0], 'log')
      equal([recovered.snapshot, recovered.terms, recovered.configurations], [null, [], []], 'nothing else')
      await storage.close()
    },
  },
  {
    title: 'a place opened and left empty is still fresh, of the same incarnation',
    async run(place: StoragePlace): Promise<void> {
      const first = await openOn(place)
      const { storage, recovered } = await restart(place, first.storage)
      equal(recovered.fresh, true, 'fresh')
      equal(recovered.identity, first.recovered.identity, 'identity')
      await storage.close()
    },
  },
  {
    title: 'a place that was written is not fresh, of the same incarnation',
    async run(place: StoragePlace): Promise<void> {
      const first = await openOn(place)
      await append(first.storage, entries(1, 1, 1))
      const { storage, recovered } = await restart(place, first.storage)
      equal(recovered.fresh, false, 'fresh')
      equal(recovered.identity, first.recovered.identity, 'identity')
      await storage.close()
    },
  },
  {
    title: "another node's and another cluster's place is refused, and stays as it was",
    async run(place: StoragePlace): Promise<void> {
      const first = await openOn(place)
      await first.storage.close()
      const other = place.storage()
      await refused('WRONG_NODE', () => other.open({ ...OWNER, nodeId: 'n2' }), 'another node')
      await refused('WRONG_CLUSTER', () => other.open({ ...OWNER, clusterId: 'other' }), 'another cluster')
      const { storage } = await openOn(place)
      await storage.close()
    },
  },
  {
    title: 'a second opening is refused while the first lasts',
    needs: 'lock',
    async run(place: StoragePlace): Promise<void> {
      const { storage } = await openOn(place)
      await refused('LOCKED', () => place.storage().open(OWNER), 'a second opening')
      await append(storage, entries(1, 1, 1))
      const again = await restart(place, storage)
      equal(again.recovered.lastIndex, 1, 'the first was not harmed')
      await again.storage.close()
    },
  },
  {
    title: 'peers are remembered, each by the incarnation given last',
    async run(place: StoragePlace): Promise<void> {
      const first = await openOn(place)
      await first.storage.rememberPeer('n2', 'aaaaaaaaaaaaaaaa')
      await first.storage.rememberPeer('n3', 'bbbbbbbbbbbbbbbb')
      await first.storage.rememberPeer('n2', 'cccccccccccccccc')
      const { storage, recovered } = await restart(place, first.storage)
      equal(
        [...recovered.peers].sort(),
        [
          ['n2', 'cccccccccccccccc'],
          ['n3', 'bbbbbbbbbbbbbbbb'],
        ],
        'peers',
      )
      await storage.close()
    },
  },
  {
    title: 'closing twice is no error; a closed storage refuses everything',
    async run(place: StoragePlace): Promise<void> {
      const { storage } = await openOn(place)
      await storage.close()
      await storage.close()
      await refused('CLOSED', () => append(storage, entries(1, 1, 1)), 'write')
      await refused('CLOSED', () => storage.read(1, 1, 100), 'read')
      await refused('CLOSED', () => storage.openSnapshot(), 'openSnapshot')
      await refused('CLOSED', () => storage.rememberPeer('n2', 'aaaaaaaaaaaaaaaa'), 'rememberPeer')
    },
  },
]

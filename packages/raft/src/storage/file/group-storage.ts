/** One group's part of the folder, as a storage of its own. */
import { assert, toError } from '@lab/rpc'
import { StorageError, type Identity, type Recovered, type Storage } from '../../storage.ts'
import type { Peers } from './peers.ts'
import type { GroupLog } from './group-log.ts'
import type { SharedLog } from './shared-log.ts'
import type { Snapshots } from './snapshots.ts'

/** What a group uses of an open folder. */
export interface GroupParts {
  readonly identity: Identity
  readonly shared: SharedLog
  readonly peers: Peers
  readonly log: GroupLog
  readonly snapshots: Snapshots
}

/** @param parts of the folder when it is open @param remember as `HostStorage.rememberPeer` */
export function groupStorage(
  parts: () => GroupParts,
  remember: (id: string, incarnation: string) => Promise<void>,
): Storage {
  let opened: GroupParts | null = null
  const use = (): GroupParts => {
    // The folder may have been closed, and opened again, since.
    if (opened !== null && parts().shared === opened.shared) return opened
    throw new StorageError('CLOSED', 'the storage of the group is not open')
  }
  // Methods are async although some only pass on: a storage that is not open rejects and never throws. So does the one that is called
  // for every batch, at less expense.
  return {
    async open() {
      const found = parts()
      if (opened?.shared === found.shared)
        throw new StorageError('LOCKED', 'the storage of the group is open already: close it first')
      opened = found
      return Promise.resolve(recoveredOf(found))
    },
    write(write) {
      try {
        return use().log.write(write)
      } catch (thrown) {
        return Promise.reject(toError(thrown))
      }
    },
    async read(first, last, bytesMax) {
      return use().log.read(first, last, bytesMax)
    },
    async compact(index) {
      const { log, snapshots } = use()
      assert(index <= (snapshots.newest?.index ?? 0), 'only what a snapshot holds can be forgotten')
      await log.compact(index)
    },
    async createSnapshot(meta) {
      const { shared, snapshots } = use()
      shared.checkSound()
      return snapshots.create(meta)
    },
    async openSnapshot() {
      return use().snapshots.open()
    },
    async rememberPeer(id, incarnation) {
      use()
      await remember(id, incarnation)
    },
    async close() {
      const closing = opened
      opened = null
      await closing?.log.idle()
    },
  }
}

function recoveredOf({ identity, peers, log: { state }, snapshots }: GroupParts): Recovered {
  const { terms, hardState, configurations, lastTime } = state
  const snapshot = snapshots.newest
  return {
    identity,
    fresh: !state.written && snapshot === null,
    hardState,
    snapshot,
    firstIndex: terms.start.index + 1,
    lastIndex: terms.lastIndex,
    terms: terms.list(),
    configurations,
    lastTime,
    peers: new Map(peers.known),
    notes: [],
  }
}

/** One face for the two kinds of storage: of one group, and of many. */
import type { HostStorage, RecoveredHost } from '../host-storage.ts'
import type { Recovered, Storage, StorageFailed } from '../storage.ts'
import type { NodeId } from '../types.ts'

export interface Owner {
  readonly clusterId: string
  readonly nodeId: NodeId
}

export interface StoredGroups {
  open(owner: Owner, onFailed: StorageFailed): Promise<Omit<RecoveredHost, 'groups'>>
  /** @throws {StorageError} when it is open already */
  openGroup(
    group: number,
    owner: Owner,
  ): Promise<{ readonly storage: Storage; readonly recovered: Recovered }>
  closeGroup(group: number): Promise<void>
  removeGroup(group: number): Promise<void>
  rememberPeer(id: NodeId, incarnation: string): Promise<void>
  close(): Promise<void>
}

export function manyGroups(storage: HostStorage): StoredGroups {
  return {
    open: (owner, onFailed) => storage.open(owner, onFailed),
    async openGroup(group, owner) {
      const own = storage.group(group)
      return { storage: own, recovered: await own.open(owner) }
    },
    closeGroup: (group) => storage.group(group).close(),
    removeGroup: (group) => storage.removeGroup(group),
    rememberPeer: (id, incarnation) => storage.rememberPeer(id, incarnation),
    close: () => storage.close(),
  }
}

/** The storage of group 0 is the process's, too. */
export function soleGroup(storage: Storage): StoredGroups {
  let found: Recovered | null = null
  return {
    async open(owner, onFailed) {
      found = await storage.open(owner, onFailed)
      return { identity: found.identity, peers: found.peers, notes: [] }
    },
    openGroup() {
      if (found === null) throw new Error('bug: the storage is not open')
      return Promise.resolve({ storage, recovered: found })
    },
    closeGroup: () => Promise.resolve(),
    removeGroup: () => Promise.reject(new Error('bug: the only group cannot be removed')),
    rememberPeer: (id, incarnation) => storage.rememberPeer(id, incarnation),
    close: () => storage.close(),
  }
}

/** Storage in memory for a process of many groups: a {@link memoryStorage} each. */
import { systemRandom } from '@lab/rpc'
import type { HostStorage } from '../host-storage.ts'
import { StorageError, type Identity } from '../storage.ts'
import type { NodeId } from '../types.ts'
import { incarnationFrom } from './incarnation.ts'
import { memoryStorage, type MemoryStorage, type MemoryStorageOptions } from './memory-storage.ts'

export interface MemoryHostStorage extends HostStorage {
  /** As if the process were killed: what is in flight is lost and fails with `CLOSED`, and `open` works again at once. */
  crash(): void
}

export function memoryHostStorage(options: MemoryStorageOptions = {}): MemoryHostStorage {
  const random = options.random ?? systemRandom
  const groups = new Map<number, MemoryStorage>()
  const peers = new Map<NodeId, string>()
  let identity: Identity | null = null
  let isOpen = false

  const group = (number: number): MemoryStorage => {
    const storage = groups.get(number) ?? memoryStorage(options)
    groups.set(number, storage)
    return storage
  }
  const checkOpen = (): void => {
    if (!isOpen) throw new StorageError('CLOSED', 'the storage is not open')
  }

  // The interface promises rejections, so everything that checks is async.
  return {
    group,
    async open(owner) {
      if (isOpen) throw new StorageError('LOCKED', 'this memory storage is open already: close it first')
      identity ??= { ...owner, incarnation: incarnationFrom(random) }
      if (identity.clusterId !== owner.clusterId)
        throw new StorageError(
          'WRONG_CLUSTER',
          `this memory storage belongs to cluster ${identity.clusterId}`,
        )
      if (identity.nodeId !== owner.nodeId)
        throw new StorageError('WRONG_NODE', `this memory storage belongs to node ${identity.nodeId}`)
      isOpen = true
      const numbers = [...groups.keys()].sort((a, b) => a - b)
      return Promise.resolve({ identity, groups: numbers, peers: new Map(peers), notes: [] })
    },
    async removeGroup(number) {
      checkOpen()
      groups.get(number)?.crash()
      groups.delete(number)
      return Promise.resolve()
    },
    async rememberPeer(id, incarnation) {
      checkOpen()
      peers.set(id, incarnation)
      return Promise.resolve()
    },
    async close() {
      isOpen = false
      for (const storage of groups.values()) await storage.close()
    },
    crash() {
      isOpen = false
      for (const storage of groups.values()) storage.crash()
    },
  }
}

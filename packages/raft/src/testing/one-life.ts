import type { SnapshotMeta } from '../types.ts'
import { StorageError, type Recovered, type Storage } from '../storage.ts'

/** The storage of one life of a server: once it has ended, nothing of that life reaches what the next one uses. */
export class OneLife implements Storage {
  readonly #storage: Storage
  #ended = false

  constructor(storage: Storage) {
    this.#storage = storage
  }

  end(): void {
    this.#ended = true
  }

  open(...how: Parameters<Storage['open']>): Promise<Recovered> {
    return this.#use((storage) => storage.open(...how))
  }

  write(write: Parameters<Storage['write']>[0]): Promise<void> {
    return this.#use((storage) => storage.write(write))
  }

  read(first: number, last: number, bytesMax: number): ReturnType<Storage['read']> {
    return this.#use((storage) => storage.read(first, last, bytesMax))
  }

  compact(index: number): Promise<void> {
    return this.#use((storage) => storage.compact(index))
  }

  createSnapshot(meta: SnapshotMeta): ReturnType<Storage['createSnapshot']> {
    return this.#use((storage) => storage.createSnapshot(meta))
  }

  openSnapshot(): ReturnType<Storage['openSnapshot']> {
    return this.#use((storage) => storage.openSnapshot())
  }

  rememberPeer(id: string, incarnation: string): Promise<void> {
    return this.#use((storage) => storage.rememberPeer(id, incarnation))
  }

  async close(): Promise<void> {
    if (!this.#ended) await this.#storage.close()
  }

  #use<T>(work: (storage: Storage) => Promise<T>): Promise<T> {
    if (this.#ended) return Promise.reject(new StorageError('CLOSED', 'this life of the server has ended'))
    return work(this.#storage)
  }
}

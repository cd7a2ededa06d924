/** A client of one of the stores that are measured side by side: plain data says of which, so that it can be told to another process. */
import { Clerk } from '@lab/kvraft/clerk'
import { tcp } from '@lab/rpc/tcp'
import type { Operation } from '../cluster/load.ts'
import { EtcdClient } from './etcd-client.ts'
import { RedisClient } from './redis-client.ts'

/** As many as are written, again and again. */
export const KEYS = 10_000
const VALUE = new Uint8Array(256).fill(120)

/** For so many in flight a peer's client opens so many connections: what suited the recorded runs. Ours has one. */
const CONNECTIONS: Readonly<Record<number, number>> = { 1: 1, 16: 16, 64: 16, 256: 64, 1000: 100 }

/** Which store, and where it is reached: all servers of ours, one of another's. */
export type Store =
  | { readonly name: '@lab'; readonly addresses: readonly string[] }
  | { readonly name: 'etcd' | 'redis'; readonly port: number }

export interface StoreClient {
  readonly put: Operation
  /** Linearizable; of a key that was put. */
  readonly get: Operation
  close(): Promise<void>
}

/** A client for so many calls in flight. */
export async function openClient(store: Store, inFlight: number): Promise<StoreClient> {
  const connections = CONNECTIONS[inFlight] ?? inFlight
  switch (store.name) {
    case '@lab': {
      const clerk = await Clerk.connect({ servers: store.addresses, transport: tcp(), timeout: 60_000 })
      return clientOf({
        put: (key) => clerk.put(key, VALUE),
        get: (key) => clerk.get(key),
        close: () => clerk.close(),
      })
    }
    case 'etcd': {
      const client = await EtcdClient.connect(store.port, connections)
      return clientOf({
        put: (key) => client.put(key, VALUE),
        get: (key) => client.get(key),
        close: () => client.close(),
      })
    }
    case 'redis': {
      const client = await RedisClient.connect(store.port, connections)
      return clientOf({
        put: (key) => client.command('SET', key, VALUE),
        get: (key) => client.command('GET', key),
        close: () => client.close(),
      })
    }
  }
}

interface KeyStore {
  readonly put: (key: string) => Promise<unknown>
  readonly get: (key: string) => Promise<{ readonly length: number } | null | undefined>
  readonly close: () => unknown
}

function clientOf({ put, get, close }: KeyStore): StoreClient {
  return {
    put: (n) => put(keyOf(n)),
    get: async (n) => {
      checkFound((await get(keyOf(n)))?.length)
    },
    close: async () => {
      await close()
    },
  }
}

function keyOf(n: number): string {
  return `key-${String(n % KEYS)}`
}

function checkFound(bytes = 0): void {
  if (bytes < VALUE.length) throw new Error('a key that was put has no value')
}

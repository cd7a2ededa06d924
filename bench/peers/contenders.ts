/** Stores that are measured side by side: what each is asked, and of which processes it consists. */
import { LabCluster } from '../cluster/lab-cluster.ts'
import type { Operation } from '../cluster/load.ts'
import type { ServerProcess } from '../cluster/server-process.ts'
import { EtcdCluster } from './etcd.ts'
import { RedisServers } from './redis.ts'

/** As many as are written, again and again. */
export const KEYS = 10_000
const VALUE = new Uint8Array(256).fill(120)

/** For so many in flight a peer's client opens so many connections: what suited the recorded runs. Ours has one. */
const CONNECTIONS: Readonly<Record<number, number>> = { 1: 1, 16: 16, 64: 16, 256: 64, 1000: 100 }

export interface Contender {
  readonly name: string
  readonly servers: readonly ServerProcess[]
  /** A client for so many calls in flight. */
  open(inFlight: number): Promise<StoreClient>
  /** Kills all servers and starts them again. */
  restart(): Promise<void>
  stop(): Promise<void>
}

export interface StoreClient {
  readonly put: Operation
  /** Linearizable; of a key that was put. */
  readonly get: Operation
  close(): Promise<void>
}

/** Ours, and those of the peers that were asked for and found. */
export async function startContenders(peers: ReadonlyMap<string, string>): Promise<Contender[]> {
  const [etcd, redis] = [peers.get('etcd'), peers.get('redis')]
  return [
    await ours(),
    ...(etcd === undefined ? [] : [await startEtcd(etcd)]),
    ...(redis === undefined ? [] : [await startRedis(redis)]),
  ]
}

function keyOf(n: number): string {
  return `key-${String(n % KEYS)}`
}

async function ours(): Promise<Contender> {
  const cluster = await LabCluster.start(3)
  return {
    name: '@lab',
    servers: cluster.servers,
    open: async () => {
      const clerk = await cluster.clerk()
      return storeClient({
        put: (key) => clerk.put(key, VALUE),
        get: (key) => clerk.get(key),
        close: () => clerk.close(),
      })
    },
    async restart() {
      await Promise.all(cluster.servers.map((server) => server.kill()))
      await Promise.all(cluster.servers.map((server) => server.start()))
    },
    stop: () => cluster.stop(),
  }
}

interface KeyStore {
  readonly put: (key: string) => Promise<unknown>
  readonly get: (key: string) => Promise<{ readonly length: number } | null | undefined>
  readonly close: () => unknown
}

function storeClient({ put, get, close }: KeyStore): StoreClient {
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

async function startEtcd(program: string): Promise<Contender> {
  const cluster = await EtcdCluster.start(program)
  return {
    name: 'etcd',
    servers: cluster.servers,
    async open(inFlight) {
      const client = await cluster.client(connectionsFor(inFlight))
      return storeClient({
        put: (key) => client.put(key, VALUE),
        get: (key) => client.get(key),
        close: () => client.close(),
      })
    },
    restart: () => cluster.restart(),
    stop: () => cluster.stop(),
  }
}

async function startRedis(program: string): Promise<Contender> {
  const redis = await RedisServers.start(program)
  return {
    name: 'redis, one server',
    servers: redis.servers,
    async open(inFlight) {
      const client = await redis.client(connectionsFor(inFlight))
      return storeClient({
        put: (key) => client.command('SET', key, VALUE),
        get: (key) => client.command('GET', key),
        close: () => client.close(),
      })
    },
    restart: () => Promise.resolve(),
    stop: () => redis.stop(),
  }
}

function connectionsFor(inFlight: number): number {
  return CONNECTIONS[inFlight] ?? inFlight
}

function checkFound(bytes = 0): void {
  if (bytes < VALUE.length) throw new Error('a key that was put has no value')
}

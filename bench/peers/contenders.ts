/** Stores that are measured side by side: of which processes each consists, and which one loads it. */
import { setTimeout as sleep } from 'node:timers/promises'
import { LabCluster } from '../cluster/lab-cluster.ts'
import type { ServerProcess } from '../cluster/server-process.ts'
import { EtcdCluster } from './etcd.ts'
import { Loader } from './loader.ts'
import { RedisServers } from './redis.ts'
import type { Store } from './store-client.ts'

/** For elections: who was stopped has heard of no leader for as long. */
const WAKING_MS = 2500

export interface Contender {
  readonly name: string
  readonly servers: readonly ServerProcess[]
  readonly loader: Loader
  /** Its servers take no time from here on: they are stopped. */
  readonly rest: () => void
  /** They go on, and have found out who leads. */
  readonly wake: () => Promise<void>
  /** Where it is reached now. */
  readonly store: () => Promise<Store>
  /** Kills all servers and starts them again. */
  readonly restart: () => Promise<void>
  readonly stop: () => Promise<void>
}

/** Ours, and those of the peers that were asked for and found. */
export async function startContenders(peers: ReadonlyMap<string, string>): Promise<Contender[]> {
  const [etcd, redis] = [peers.get('etcd'), peers.get('redis')]
  const contenders = [
    await ours(),
    ...(etcd === undefined ? [] : [await startEtcd(etcd)]),
    ...(redis === undefined ? [] : [await startRedis(redis)]),
  ]
  return contenders.map((contender) => {
    const loader = new Loader()
    const stop = async (): Promise<void> => {
      loader.stop()
      await contender.stop()
    }
    let isResting = false
    const rest = (): void => {
      // Who is alone takes nobody's time.
      if (contenders.length === 1) return
      isResting = true
      for (const server of contender.servers) server.signal('SIGSTOP')
    }
    const wake = async (): Promise<void> => {
      if (!isResting) return
      isResting = false
      for (const server of contender.servers) server.signal('SIGCONT')
      await sleep(WAKING_MS)
    }
    return { ...contender, loader, rest, wake, stop }
  })
}

type Unloaded = Omit<Contender, 'loader' | 'rest' | 'wake'>

async function ours(): Promise<Unloaded> {
  const cluster = await LabCluster.start(3)
  const { servers, addresses } = cluster
  return {
    ...{ name: '@lab', servers },
    store: async () => {
      // What is measured begins when there is a leader.
      const clerk = await cluster.clerk()
      await cluster.settled(clerk)
      await clerk.close()
      return { name: '@lab', addresses }
    },
    async restart() {
      await Promise.all(servers.map((server) => server.kill()))
      await Promise.all(servers.map((server) => server.start()))
    },
    stop: () => cluster.stop(),
  }
}

async function startEtcd(program: string): Promise<Unloaded> {
  const cluster = await EtcdCluster.start(program)
  return {
    ...{ name: 'etcd', servers: cluster.servers },
    store: async () => ({ name: 'etcd', port: await cluster.leaderPort() }),
    restart: () => cluster.restart(),
    stop: () => cluster.stop(),
  }
}

async function startRedis(program: string): Promise<Unloaded> {
  const redis = await RedisServers.start(program)
  return {
    ...{ name: 'redis, one server', servers: redis.servers },
    store: () => Promise.resolve({ name: 'redis', port: redis.ports[0] ?? 0 }),
    restart: () => Promise.resolve(),
    stop: () => redis.stop(),
  }
}

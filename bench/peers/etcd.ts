/** Three etcd servers of this machine's package, all settings its own but the quota. */
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { freePorts } from '../cluster/free-ports.ts'
import { dataFolder } from '../cluster/lab-cluster.ts'
import { ServerProcess } from '../cluster/server-process.ts'
import { EtcdClient } from './etcd-client.ts'

const SIZE = 3
const QUOTA_BYTES = 8 * 2 ** 30
const POLL_MS = 50
const START_MS = 60_000
const PROBE_MS = 10
const VALUE = new Uint8Array(256).fill(120)

export class EtcdCluster {
  readonly servers: readonly ServerProcess[]
  readonly #ports: readonly number[]
  readonly #folder: string

  static async start(program: string): Promise<EtcdCluster> {
    const cluster = new EtcdCluster(program, await freePorts(SIZE), await freePorts(SIZE))
    await Promise.all(cluster.servers.map((server) => server.start({ quiet: true })))
    await cluster.leader()
    return cluster
  }

  private constructor(program: string, ports: readonly number[], peerPorts: readonly number[]) {
    this.#folder = dataFolder()
    this.#ports = ports
    const url = (port: number | undefined): string => `http://127.0.0.1:${String(port)}`
    const members = peerPorts.map((port, at) => `n${String(at)}=${url(port)}`).join(',')
    this.servers = ports.map((port, at) => {
      const [name, peer] = [`n${String(at)}`, url(peerPorts[at])]
      const where = ['--listen-client-urls', url(port), '--advertise-client-urls', url(port)]
      const peers = ['--listen-peer-urls', peer, '--initial-advertise-peer-urls', peer]
      const cluster = ['--initial-cluster', members, '--initial-cluster-token', this.#folder]
      const rest = ['--quota-backend-bytes', String(QUOTA_BYTES), '--logger', 'zap', '--log-level', 'panic']
      const identity = ['--name', name, '--data-dir', join(this.#folder, name)]
      return new ServerProcess(program, [...identity, ...where, ...peers, ...cluster, ...rest])
    })
  }

  /** The place of the server that leads; waits until there is one. */
  async leader(): Promise<number> {
    const deadline = performance.now() + START_MS
    while (performance.now() < deadline) {
      for (const [at, port] of this.#ports.entries()) if (await isLeader(port)) return at
      await sleep(POLL_MS)
    }
    throw new Error('etcd has had no leader for a minute')
  }

  async leaderPort(): Promise<number> {
    return this.#ports[await this.leader()] ?? 0
  }

  /** @param at the place of a server */
  client(connections: number, at: number): Promise<EtcdClient> {
    return EtcdClient.connect(this.#ports[at] ?? 0, connections)
  }

  /** All at once: what they hold in memory, they read from disk again. */
  async restart(): Promise<void> {
    await Promise.all(this.servers.map((server) => server.kill()))
    await Promise.all(this.servers.map((server) => server.start({ quiet: true })))
    await this.leader()
  }

  /** Kills all, and starts them again. @returns seconds until one answered a linearizable read */
  async timeToRead(key: string): Promise<number> {
    await Promise.all(this.servers.map((server) => server.kill()))
    const begun = performance.now()
    await Promise.all(this.servers.map((server) => server.start({ quiet: true })))
    for (;;) {
      for (const at of this.#ports.keys()) {
        const client = await this.client(1, at).catch(() => null)
        const answer = await client?.get(key).catch(() => null)
        client?.close()
        if (answer !== null && answer !== undefined && answer.length > VALUE.length)
          return (performance.now() - begun) / 1000
      }
      await sleep(PROBE_MS)
    }
  }

  /** @returns milliseconds from the signal to the leader until a survivor acknowledged a write that began after it */
  async failOver(signal: 'SIGKILL' | 'SIGSTOP'): Promise<number> {
    const leader = await this.leader()
    await sleep(500 + Math.random() * 500)
    const survivors = [0, 1, 2].filter((at) => at !== leader)
    const clients = await Promise.all(survivors.map((at) => this.client(1, at)))
    const victim = this.servers[leader]
    const struck = performance.now()
    const gone = signal === 'SIGKILL' ? victim?.kill() : victim?.signal(signal)
    let first = Infinity
    while (first === Infinity) {
      for (const client of clients)
        client.put('probe', VALUE).then(
          () => {
            first = Math.min(first, performance.now())
          },
          () => undefined,
        )
      await sleep(PROBE_MS)
    }
    for (const client of clients) client.close()
    await gone
    if (signal === 'SIGKILL') await victim?.start({ quiet: true })
    else victim?.signal('SIGCONT')
    await sleep(2000)
    return first - struck
  }

  async stop(): Promise<void> {
    await Promise.all(this.servers.map((server) => server.kill()))
    rmSync(this.#folder, { recursive: true, force: true })
  }
}

async function isLeader(port: number): Promise<boolean> {
  try {
    const response = await fetch(`http://127.0.0.1:${String(port)}/metrics`, {
      signal: AbortSignal.timeout(1000),
    })
    return /^etcd_server_is_leader 1$/m.test(await response.text())
  } catch {
    return false
  }
}

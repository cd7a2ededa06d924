/** One Redis server that syncs every write before it answers. It replicates nothing: a ceiling, no rival. */
import { mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { freePorts } from '../cluster/free-ports.ts'
import { dataFolder } from '../cluster/lab-cluster.ts'
import { ServerProcess } from '../cluster/server-process.ts'
import { RedisClient } from './redis-client.ts'

const POLL_MS = 20
const PERSISTENT = ['--appendonly', 'yes', '--appendfsync', 'always', '--save', '']

export class RedisServers {
  readonly servers: readonly ServerProcess[]
  readonly ports: readonly number[]
  readonly #folder: string

  /** @param settings besides those of a server that syncs every write */
  static async start(program: string, count = 1, settings: readonly string[] = []): Promise<RedisServers> {
    const redis = new RedisServers(program, await freePorts(count), settings)
    await Promise.all(redis.servers.map((server) => server.start({ quiet: true })))
    await Promise.all(redis.ports.map(answers))
    return redis
  }

  private constructor(program: string, ports: readonly number[], settings: readonly string[]) {
    this.#folder = dataFolder()
    this.ports = ports
    this.servers = ports.map((port) => {
      const folder = join(this.#folder, String(port))
      mkdirSync(folder)
      const where = ['--bind', '127.0.0.1', '--port', String(port), '--dir', folder]
      return new ServerProcess(program, [...where, '--loglevel', 'warning', ...PERSISTENT, ...settings])
    })
  }

  client(connections: number, at = 0): Promise<RedisClient> {
    return RedisClient.connect(this.ports[at] ?? 0, connections)
  }

  async stop(): Promise<void> {
    await Promise.all(this.servers.map((server) => server.kill()))
    rmSync(this.#folder, { recursive: true, force: true })
  }
}

async function answers(port: number): Promise<void> {
  for (;;) {
    try {
      const client = await RedisClient.connect(port, 1)
      await client.command('PING')
      client.close()
      return
    } catch {
      await sleep(POLL_MS)
    }
  }
}

/** Three machines of a sharded store, each a `lab server` that hosts a replica of the controller and one of every group. */
import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { tcp } from '@lab/rpc/tcp'
import { Clerk as Controller } from '@lab/shardctrler/clerk'
import { Clerk } from '@lab/shardkv/clerk'
import { freePorts } from './free-ports.ts'
import { dataFolder, labProcess } from './lab-cluster.ts'
import type { ServerProcess } from './server-process.ts'

const IDS = ['m1', 'm2', 'm3']
export const FIRST_GID = 100
const TIMEOUT_MS = 60_000
const POLL_MS = 20

export class ShardedCluster {
  readonly servers: readonly ServerProcess[]
  readonly addresses: readonly string[]
  readonly #folder: string

  static async start(groups: number, shards: number): Promise<ShardedCluster> {
    const cluster = new ShardedCluster(await freePorts(IDS.length), groups, shards)
    await Promise.all(cluster.servers.map((server) => server.start()))
    const controller = await cluster.controller()
    await cluster.settled(controller)
    await controller.close()
    return cluster
  }

  private constructor(ports: readonly number[], groups: number, shards: number) {
    this.#folder = dataFolder()
    this.addresses = ports.map((port) => `tcp://127.0.0.1:${String(port)}`)
    const nodes = Object.fromEntries(IDS.map((id, at) => [id, this.addresses[at]]))
    const gids = Array.from({ length: groups }, (_, at) => [String(FIRST_GID + at), IDS])
    const config = join(this.#folder, 'lab.json')
    const file = {
      cluster: 'bench',
      shards,
      nodes,
      controller: IDS,
      groups: Object.fromEntries(gids) as unknown,
    }
    writeFileSync(config, JSON.stringify(file))
    this.servers = IDS.map((id) => {
      const where = ['--config', config, '--id', id, '--data', join(this.#folder, id)]
      return labProcess('server', ...where, '--while-stdin', '--log-level', 'error')
    })
  }

  controller(): Promise<Controller> {
    return Controller.connect({
      ...{ servers: this.addresses, transport: tcp(), clusterId: 'bench', role: 'admin' },
      ...{ timeout: TIMEOUT_MS, connectTimeout: TIMEOUT_MS },
    })
  }

  clerk(): Promise<Clerk> {
    return Clerk.connect({
      ...{ controllers: this.addresses, transport: tcp(), clusterId: 'bench' },
      ...{ timeout: TIMEOUT_MS, connectTimeout: TIMEOUT_MS },
    })
  }

  /** Waits until every group has done all that the newest configuration asks. */
  async settled(controller: Controller, pollMs = POLL_MS): Promise<void> {
    for (;;) {
      const { num } = await controller.query()
      const finished = Object.values((await controller.progress()).finished)
      if (num > 0 && finished.every((reached) => reached >= num)) return
      await sleep(pollMs)
    }
  }

  async stop(): Promise<void> {
    await Promise.all(this.servers.map((server) => server.kill()))
    rmSync(this.#folder, { recursive: true, force: true })
  }
}

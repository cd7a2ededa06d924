/** A sharded store in a simulated world: three controllers, and three servers for each group. */
import { RaftHost } from '@lab/raft'
import { fileHostStorage } from '@lab/raft/storage/file'
import { assert, type Milliseconds, type TraceEvent } from '@lab/rpc'
import { memory } from '@lab/rpc/memory'
import { World } from '@lab/sim'
import {
  Clerk as ControllerClerk,
  Controller,
  ControllerServer,
  controllerCodecs,
  type Config,
  type KeyToShard,
} from '@lab/shardctrler'
import { Clerk } from '../src/clerk.ts'
import type { ShardGroup } from '../src/group.ts'
import { ShardHost } from '../src/shard-host.ts'

export interface ShardClusterOptions {
  readonly seed?: number
  readonly groups?: readonly number[]
  readonly shards?: number
  readonly keyToShard?: KeyToShard
  readonly snapshotEveryBytes?: number
  readonly historyBytes?: number
  readonly traced?: boolean
}

interface Running {
  readonly host: RaftHost
  readonly shards: ShardHost | null
}

const LIMIT_MS = 120_000
const SERVERS = [1, 2, 3]

export class ShardCluster {
  readonly world: World
  readonly trace: TraceEvent[] = []
  readonly gids: readonly number[]
  controller!: ControllerClerk
  readonly #options: ShardClusterOptions
  readonly #running = new Map<string, Running>()
  #clients = 0

  static async start(options: ShardClusterOptions = {}): Promise<ShardCluster> {
    const cluster = new ShardCluster(options)
    await cluster.settle(Promise.all([...cluster.ids].map((id) => cluster.#boot(id))))
    cluster.controller = await cluster.settle(
      ControllerClerk.connect({ ...cluster.clientOptions(), servers: cluster.controllers }),
    )
    return cluster
  }

  private constructor(options: ShardClusterOptions) {
    const { seed = 1, groups = [100, 101, 102], traced = false } = options
    this.#options = options
    this.gids = groups
    this.world = new World(
      traced ? { seed, messages: false, onEvent: (event) => this.trace.push(event) } : { seed },
    )
    for (const id of this.ids) this.world.add(id)
  }

  get ids(): string[] {
    return [...SERVERS.map((n) => `c${n}`), ...this.gids.flatMap((gid) => this.serversOf(gid))]
  }

  get controllers(): string[] {
    return SERVERS.map((n) => `memory://c${n}`)
  }

  serversOf(gid: number): string[] {
    return SERVERS.map((n) => `g${gid}-${n}`)
  }

  addressesOf(gid: number): string[] {
    return this.serversOf(gid).map((id) => `memory://${id}`)
  }

  join(...gids: number[]): Promise<number> {
    return this.settle(
      this.controller.join(Object.fromEntries(gids.map((gid) => [gid, this.addressesOf(gid)]))),
    )
  }

  leave(...gids: number[]): Promise<number> {
    return this.settle(this.controller.leave(gids))
  }

  config(): Promise<Config> {
    return this.settle(this.controller.query())
  }

  /** A replica that runs. */
  group(id: string): ShardGroup {
    const group = [...(this.#running.get(id)?.shards?.groups.values() ?? [])][0]
    assert(group !== undefined, `a group runs on ${id}`)
    return group
  }

  /** All replicas of a group that run. */
  replicas(gid: number): ShardGroup[] {
    return this.serversOf(gid).flatMap((id) => [...(this.#running.get(id)?.shards?.groups.values() ?? [])])
  }

  leaderOf(gid: number): ShardGroup | null {
    return this.replicas(gid).find(({ node }) => node.status().role === 'leader') ?? null
  }

  async clerk(): Promise<Clerk> {
    return this.settle(Clerk.connect({ ...this.clientOptions(), controllers: this.controllers }))
  }

  /** As a power cut. */
  crash(...ids: string[]): void {
    for (const id of ids) {
      this.#running.delete(id)
      this.world.trace?.({ n: id, k: 'fault', what: 'crash' })
      this.world.machine(id).crash()
    }
  }

  async restart(...ids: string[]): Promise<void> {
    await this.settle(Promise.all(ids.map((id) => this.#boot(id))))
  }

  /** Waits until every replica of the groups has applied the newest configuration, and nothing is on its way. */
  async settled(gids: readonly number[] = this.gids): Promise<void> {
    const { num } = await this.config()
    await this.until(() =>
      gids.every((gid) =>
        this.replicas(gid).every(
          ({ machine: { migration } }) =>
            migration.num === num && [...migration.states.values()].every(({ name }) => name === 'serving'),
        ),
      ),
    )
  }

  settle<T>(work: Promise<T>): Promise<T> {
    return this.world.settle(work, LIMIT_MS)
  }

  until(condition: () => boolean, limitMs: Milliseconds = LIMIT_MS): Promise<void> {
    return this.world.run(condition, limitMs)
  }

  async advance(millis: Milliseconds): Promise<void> {
    await this.world.advance(millis)
  }

  /** What reaches the cluster as a client. */
  clientOptions() {
    const { clock, network, trace } = this.world
    const name = `client${++this.#clients}`
    return {
      ...{ transport: memory(network, { name }), clock, random: this.world.random(name) },
      ...{ attemptTimeout: 300, ...(trace === undefined ? {} : { trace }) },
    }
  }

  async #boot(id: string): Promise<void> {
    const { clock, random, disk, transport, trace } = this.world.machine(id).boot()
    const seams = { clock, random, transport, ...(trace === undefined ? {} : { trace }) }
    const host = await RaftHost.start({
      ...seams,
      id,
      listen: `memory://${id}`,
      storage: fileHostStorage(`data-${id}`, { disk, random, segmentBytes: 64 * 1024, sparesMax: 1 }),
    })
    const { snapshotEveryBytes, historyBytes, shards: count = 10, keyToShard = 'first-byte' } = this.#options
    if (id.startsWith('c')) {
      const stateMachine = new Controller()
      const members = Object.fromEntries(SERVERS.map((n) => [`c${n}`, `memory://c${n}`]))
      const node = await host.startGroup({ group: 0, members, stateMachine, ...controllerCodecs })
      ControllerServer.serve(node, stateMachine, { shards: count, keyToShard })
      this.#running.set(id, { host, shards: null })
      return
    }
    const gid = Number(/^g(\d+)-/.exec(id)?.[1])
    const shards = new ShardHost({
      ...{ ...seams, host, controllers: this.controllers, attemptTimeout: 300 },
      ...(historyBytes === undefined ? {} : { historyBytes }),
    })
    await shards.startGroup({
      gid,
      members: Object.fromEntries(this.serversOf(gid).map((each) => [each, `memory://${each}`])),
      ...(snapshotEveryBytes === undefined ? {} : { snapshotEveryBytes }),
    })
    this.#running.set(id, { host, shards })
  }
}

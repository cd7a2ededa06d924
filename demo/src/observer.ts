/** Looks at the store from outside, as `lab shard status` and `lab cluster status` do, several times a second. */
import { setTimeout as sleep } from 'node:timers/promises'
import { RaftClient, type ServerStatus } from '@lab/raft'
import type { Transport } from '@lab/rpc'
import type { Clerk, GroupStatus } from '@lab/shardkv/clerk'
import { shardViews, type ShardView } from './shard-view.ts'

/** Of a server on this machine; a dead one is not waited for. */
const STATUS_MS = 250
const EVERY_MS = 200
export const CONTROLLER = 0

export interface ObserverOptions {
  /** Its own: it waits for nobody who writes. */
  readonly clerk: Clerk
  /** Of all machines. */
  readonly addresses: readonly string[]
  readonly transports: readonly Transport[]
}

/** Who leads one group; null when nobody says so of itself. */
export interface GroupView {
  /** 0 is the controller. */
  readonly gid: number
  readonly leader: string | null
  readonly term: number
  /** Of shards that it has. */
  readonly keys: number
  readonly bytes: number
}

export class Observer {
  readonly #options: ObserverOptions
  /** By group. */
  readonly #clients = new Map<number, RaftClient>()
  /** What each replica of each group said when it was last asked; silent ones are missing. */
  #replicas = new Map<number, readonly ServerStatus[]>()
  #reports: readonly GroupStatus[] = []
  #shards: readonly ShardView[] = []

  constructor(options: ObserverOptions) {
    this.#options = options
    this.#open(CONTROLLER, options.addresses)
  }

  /** The controller first. */
  get groups(): GroupView[] {
    return [...this.#clients.keys()].map((gid) => {
      const leaders = (this.#replicas.get(gid) ?? []).filter(({ role }) => role === 'leader')
      const leader = leaders.reduce<ServerStatus | null>(
        (a, b) => (a === null || b.term > a.term ? b : a),
        null,
      )
      const shards = this.#reports.find((report) => report.gid === gid && report.isLeader)?.shards ?? []
      const sum = (of: 'keys' | 'bytes'): number => shards.reduce((total, shard) => total + shard[of], 0)
      const { id = null, term = 0 } = leader ?? {}
      return { gid, leader: id, term, keys: sum('keys'), bytes: sum('bytes') }
    })
  }

  /** Each shard, as the leaders of groups say. */
  get shards(): readonly ShardView[] {
    return this.#shards
  }

  /** It answers for at least one group. */
  hasSpoken(machine: string): boolean {
    return [...this.#replicas.values()].some((statuses) => statuses.some(({ id }) => id === machine))
  }

  /** Numbers of the groups that a machine leads. */
  ledBy(machine: string): number[] {
    return this.groups.filter(({ leader }) => leader === machine).map(({ gid }) => gid)
  }

  /** Looks until `signal` aborts. */
  async watch(signal: AbortSignal): Promise<void> {
    // The shards are asked for by way of the controller, which may be without a leader: nobody else waits for that.
    const looks = [() => this.#lookAtReplicas(), () => this.lookAtShards()].map(async (look) => {
      while (!signal.aborted) {
        await look()
        await sleep(EVERY_MS, undefined, { signal }).catch(() => undefined)
      }
    })
    await Promise.all(looks)
    await Promise.all([...this.#clients.values()].map((client) => client.close()))
  }

  async lookAtShards(): Promise<void> {
    const { clerk } = this.#options
    this.#reports = await clerk.status({ timeout: STATUS_MS })
    for (const [gid, servers] of Object.entries(clerk.config.groups)) this.#open(Number(gid), servers)
    this.#shards = shardViews(this.#reports, this.#shards, clerk.config.shards.length)
  }

  /** Looks until every group has a leader for which `isNew`. @throws the reason of `signal` when it aborts first */
  async leaders(isNew: (group: GroupView) => boolean, signal: AbortSignal): Promise<readonly GroupView[]> {
    for (;;) {
      const { groups } = this
      if (groups.every((group) => group.leader !== null && isNew(group))) return groups
      signal.throwIfAborted()
      await sleep(EVERY_MS / 8, undefined, { signal })
    }
  }

  async #lookAtReplicas(): Promise<void> {
    const asked = [...this.#clients].map(async ([gid, client]) => {
      const reports = await client.status({ timeout: STATUS_MS })
      return [gid, reports.flatMap(({ status }) => status ?? [])] as const
    })
    this.#replicas = new Map(await Promise.all(asked))
  }

  #open(group: number, servers: readonly string[]): void {
    if (this.#clients.has(group)) return
    this.#clients.set(group, RaftClient.open({ group, servers, transports: this.#options.transports }))
  }
}

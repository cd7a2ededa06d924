/** One replica of one group, on a `RaftHost`: its log, its shards, and what its leader does to move them. */
import { Expirer, OpeningWatch, WatchHub, lastingMemoryDropped } from '@lab/kvraft/parts'
import type { RaftNode } from '@lab/raft'
import { RpcError, type Clock, type Milliseconds } from '@lab/rpc'
import type { Gid } from '@lab/shardctrler'
import { encodeExpire } from './commands.ts'
import { Follower, type ConfigSource } from './follower.ts'
import type { ShardMachine } from './machine.ts'
import { proposeHere } from './mover.ts'
import { Nudge } from './nudge.ts'
import type { OtherGroups } from './other-groups.ts'
import { Puller } from './puller.ts'
import { Releaser } from './releaser.ts'
import { Reporter } from './reporter.ts'
import { reportOf } from './report.ts'
import type { GroupStatus, ShardWatchRequest } from './shard-service.ts'

/** More than a full collection takes that finds a large shard. */
const COLLECTING_MS: Milliseconds = 250

export interface ShardGroupOptions {
  readonly node: RaftNode<ShardMachine>
  readonly machine: ShardMachine
  readonly configs: ConfigSource
  readonly groups: OtherGroups
  readonly clock: Clock
  readonly onClose: () => void
}

export class ShardGroup implements AsyncDisposable {
  /** The consensus below: status, metrics, events, and `read((machine) => …)` within this process. */
  readonly node: RaftNode<ShardMachine>
  readonly machine: ShardMachine
  readonly #options: ShardGroupOptions
  readonly #watches = new Map<number, WatchHub>()
  /** Served shards with keys that are to expire. */
  readonly #expiring = new Set<number>()
  readonly #nudge: Nudge
  readonly #expirer: Expirer

  constructor(options: ShardGroupOptions) {
    const { node, machine, configs, groups, clock } = options
    this.#options = options
    this.node = node
    this.machine = machine
    this.#nudge = new Nudge(clock)
    this.#expirer = new Expirer({
      clock,
      nextExpiry: () => this.#nextExpiry().time,
      propose: (signal) => this.#expire(signal),
    })
    machine.listen({
      moved: () => this.#nudge.wake(),
      changed: (shard) => this.#changed(shard),
      dropped: (bytes) => this.#dropped(bytes),
    })
    for (const shard of machine.shards.keys()) this.#changed(shard)
    const mover = { machine, node, groups, clock, nudge: this.#nudge, traffic: machine.traffic }
    const follower = new Follower({ ...mover, configs })
    const reporter = new Reporter({ ...mover, configs })
    const tasks = [follower, reporter, new Puller(mover), new Releaser(mover), this.#expirer]
    for (const task of tasks) node.whileLeader(({ signal }) => task.run(signal))
  }

  get gid(): Gid {
    return this.machine.gid
  }

  /** Watches open at this replica. */
  get watches(): number {
    return [...this.#watches.values()].reduce((sum, { size }) => sum + size, 0)
  }

  watch({ shard, request }: ShardWatchRequest): AsyncIterator<Uint8Array> {
    const range = { from: request.from.slice(), to: request.to.slice() }
    return new OpeningWatch(async () => {
      if (request.after === null) await this.node.readBarrier()
      const store = this.machine.served(shard)?.store
      if (store === undefined)
        throw new RpcError('BAD_REQUEST', `group ${this.gid} does not serve shard ${shard}`)
      const hub = this.#watches.get(shard) ?? new WatchHub(store, this.#options.clock)
      this.#watches.set(shard, hub)
      return hub.open(range, (request.after ?? store.revision) + 1)
    })
  }

  status(): GroupStatus {
    return reportOf(this.machine, this.node.status().role === 'leader')
  }

  async close(): Promise<void> {
    for (const hub of this.#watches.values()) hub.close()
    this.#watches.clear()
    this.#options.onClose()
    await this.node.close()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  #changed(shard: number): void {
    const store = this.machine.served(shard)?.store
    const hub = this.#watches.get(shard)
    if (hub !== undefined && hub.store !== store) {
      // Given away, or replaced by a snapshot: whoever watches comes again, here or elsewhere.
      hub.close()
      this.#watches.delete(shard)
    } else hub?.changed()
    if (store === undefined || store.nextExpiry === Infinity) this.#expiring.delete(shard)
    else this.#expiring.add(shard)
    this.#expirer.changed()
  }

  /** All replicas delete a shard at the same entry. They collect it one after the other: a majority stays quick. */
  #dropped(bytes: number): void {
    const { id, voters } = this.node.status()
    this.#options.clock.setTimer(Math.max(voters.indexOf(id), 0) * COLLECTING_MS, () =>
      lastingMemoryDropped(bytes),
    )
  }

  #nextExpiry(): { readonly time: number; readonly shard: number } {
    let next = { time: Infinity, shard: -1 }
    for (const shard of this.#expiring) {
      const time = this.machine.served(shard)?.store.nextExpiry ?? Infinity
      if (time < next.time) next = { time, shard }
    }
    return next
  }

  async #expire(signal: AbortSignal): Promise<void> {
    const { shard } = this.#nextExpiry()
    if (!(await proposeHere(this.node, encodeExpire(shard), signal)))
      throw new RpcError('BUSY', 'the entry did not get into the log')
  }
}

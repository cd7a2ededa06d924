/**
 * A process of the sharded store: replicas of any number of groups on one `RaftHost`, with the host's port, log and heartbeat.
 *
 *     const host = await RaftHost.start({ id: 'm1', listen: 'localhost:7001', transport: tcp(), storage: fileHostStorage('./data') })
 *     const shards = new ShardHost({ host, transport: tcp(), controllers: ['localhost:7001'] })
 *     await shards.startGroup({ gid: 100, members })
 */
import { storeCodecs } from '@lab/kvraft'
import type { RaftGroupOptions, RaftHost } from '@lab/raft'
import {
  ByteWriter,
  RpcError,
  implement,
  systemClock,
  systemRandom,
  type Address,
  type Implementation,
} from '@lab/rpc'
import type { Gid } from '@lab/shardctrler'
import { answerPage, answerTaken } from './answers.ts'
import { ControllerConfigs } from './controller-configs.ts'
import type { ConfigSource } from './follower.ts'
import { GroupClients, type GroupClientOptions } from './group-clients.ts'
import { ShardGroup } from './group.ts'
import { GROUP_COMMAND_BYTES_MAX } from './limits.ts'
import { ShardMachine } from './machine.ts'
import { otherGroups } from './other-groups.ts'
import { requestKinds } from './request-kinds.ts'
import { ShardService } from './shard-service.ts'
import { sharedConfigs } from './shared-configs.ts'
import { Traffic } from './traffic.ts'

export interface ShardHostOptions extends GroupClientOptions {
  readonly host: RaftHost
  /** Where the controller is reached; or, for tests, where configurations come from. */
  readonly controllers: readonly Address[] | ConfigSource
  /** Of changes of each shard, remembered for watches. The same in all groups. Default: 16 MiB over all shards, 64 KiB to 1 MiB each. */
  readonly historyBytes?: number
}

/** As of `RaftHost.startGroup`. */
export interface ShardGroupStart extends Pick<
  RaftGroupOptions,
  'members' | 'join' | 'leases' | 'limits' | 'snapshotEveryBytes'
> {
  /** The group's id, which is also its number on the host. */
  readonly gid: Gid
}

export class ShardHost implements AsyncDisposable {
  readonly #options: ShardHostOptions
  readonly #groups = new Map<Gid, ShardGroup>()
  readonly #clients: GroupClients
  readonly #configs: ConfigSource
  readonly #configCodec = sharedConfigs()
  readonly #traffic = new Traffic()
  /**
   * Of the page being sent: a buffer for each would keep the collector busy. An answer is encoded right when its handler returns, which
   * awaits nothing, before another page is read.
   */
  readonly #pages = new ByteWriter()
  readonly #implementation: Implementation

  constructor(options: ShardHostOptions) {
    this.#options = options
    this.#clients = new GroupClients(options)
    this.#configs =
      'watch' in options.controllers
        ? options.controllers
        : new ControllerConfigs({ ...options, servers: options.controllers })
    this.#implementation = this.#implement()
    options.host.server.add(this.#implementation)
  }

  /** Those that run here, by id. */
  get groups(): ReadonlyMap<Gid, ShardGroup> {
    return this.#groups
  }

  /** Restores a replica from the storage and takes part in its group. @throws what `RaftHost.startGroup` throws */
  async startGroup({ gid, limits, ...options }: ShardGroupStart): Promise<ShardGroup> {
    const { host, historyBytes, trace, random = systemRandom, clock = systemClock } = this.#options
    const machine = new ShardMachine({
      ...{ gid, hashSeed: random.integer(0, 2 ** 31), configs: this.#configCodec, traffic: this.#traffic },
      ...(historyBytes === undefined ? {} : { historyBytes }),
      ...(trace === undefined ? {} : { trace: { sink: trace, node: host.id, gid } }),
    })
    const node = await host.startGroup<ShardMachine>({
      ...{ ...options, ...storeCodecs, requestKinds, group: gid, stateMachine: machine },
      limits: { commandBytesMax: GROUP_COMMAND_BYTES_MAX, ...limits },
    })
    const group = new ShardGroup({
      ...{ node, machine, clock, configs: this.#configs, groups: otherGroups(this.#clients) },
      onClose: () => this.#groups.delete(gid),
    })
    this.#groups.set(gid, group)
    return group
  }

  /** Stops the groups and what served them; the `RaftHost` goes on. */
  async close(): Promise<void> {
    this.#options.host.server.remove(this.#implementation)
    await Promise.all([...this.#groups.values()].map((group) => group.close()))
    if (this.#configs instanceof ControllerConfigs) await this.#configs.close()
    await this.#clients.close()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  #implement(): Implementation {
    return implement(ShardService, {
      page: (request) => {
        const group = this.#groups.get(request.gid)
        return group === undefined ? { kind: 'not-here' } : answerPage(group.machine, request, this.#pages)
      },
      taken: (request) => {
        const group = this.#groups.get(request.gid)
        return group === undefined ? new Uint8Array(0) : answerTaken(group.machine, request)
      },
      watch: (request) => ({ [Symbol.asyncIterator]: () => this.#group(request.gid).watch(request) }),
      status: (gid) => this.#groups.get(gid)?.status() ?? null,
    })
  }

  #group(gid: Gid): ShardGroup {
    const group = this.#groups.get(gid)
    if (group === undefined) throw new RpcError('BAD_REQUEST', `group ${gid} does not run here`)
    return group
  }
}

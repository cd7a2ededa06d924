/**
 * The labs' cluster of part 4B: three controllers, and three groups (100, 101, 102) of three servers, on the labs' network; clients
 * with ways of their own, and all that they saw. Groups are numbered from 0.
 */
import { LabHistory } from '@lab/kvraft/testing'
import { LabServers, describeLabJson, type LabInstance, type LabPeer } from '@lab/raft/testing'
import {
  seededRandom,
  sleep,
  toError,
  type Clock,
  type Milliseconds,
  type Random,
  type TraceSink,
} from '@lab/rpc'
import { LabNetwork, type LabValue } from '@lab/rpc/testing'
import type { LabConfig, LabControllerClerk, LabControllerServer } from '@lab/shardctrler/testing'
import type { LabShardClerk, ShardLabOptions } from './lab-interface.ts'
import { fail } from './lab-rules.ts'

export interface ShardLabClusterOptions extends ShardLabOptions {
  readonly seed: number
  readonly clock: Clock
  readonly trace?: TraceSink | undefined
  /** Off: the labs' unreliable network. */
  readonly reliable: boolean
  /** −1: no snapshots. */
  readonly maxRaftState: number
}

const SERVERS = [0, 1, 2]
export const LAB_GROUPS = [0, 1, 2]
export const LAB_SHARD_PEERS = SERVERS.length * LAB_GROUPS.length

export class ShardLabCluster {
  readonly clock: Clock
  /** The scenario's own; servers, clients and network draw from others. */
  readonly random: Random
  readonly network: LabNetwork
  readonly maxRaftState: number
  /** Rejects as soon as a rule is broken anywhere; never resolves. */
  readonly broken: Promise<never>
  readonly controller: LabControllerClerk
  readonly #options: ShardLabClusterOptions
  readonly #controllers: LabServers<LabControllerServer>
  readonly #groups: readonly LabServers<LabInstance>[]
  readonly #history: LabHistory
  #reject: (error: Error) => void = () => undefined
  #ends = 0
  #clients = 0

  constructor(options: ShardLabClusterOptions) {
    const { clock, trace, seed, describe = describeLabJson } = options
    this.#options = options
    this.clock = clock
    this.maxRaftState = options.maxRaftState
    this.random = seededRandom(seed)
    const random = this.#splitRandom()
    this.network = new LabNetwork({ clock, random, describe, ...(trace === undefined ? {} : { trace }) })
    this.network.reliable = options.reliable
    this.broken = new Promise((_, reject) => {
      this.#reject = reject
    })
    this.broken.catch(() => undefined)
    this.#history = new LabHistory({ clock, trace, onError: this.#reject })
    const servers = { network: this.network, clock, random: this.random, trace, onError: this.#reject }
    this.#controllers = new LabServers({
      ...servers,
      names: SERVERS.map((server) => `ctl${String(server + 1)}`),
      make: ({ peers, server, persister, env }) => options.makeController(peers, server, persister, env),
    })
    this.#groups = LAB_GROUPS.map(
      (group) =>
        new LabServers({
          ...servers,
          names: SERVERS.map((server) => nameOf(group, server)),
          make: ({ peers, server, persister, env }) => {
            const name = nameOf(group, server)
            const reach = (other: string): LabPeer => this.#reach(name, other)
            const controllers = SERVERS.map((each) => reach(this.#controllers.name(each)))
            return options.makeServer(
              {
                ...{ peers, me: server, persister, controllers, reach },
                ...{ gid: gidOf(group), maxRaftState: this.maxRaftState },
              },
              env,
            )
          },
        }),
    )
    for (const each of SERVERS) startIn(this.#controllers, each)
    for (const group of LAB_GROUPS) this.startGroup(group)
    this.controller = this.#controllerClerk('operator')
  }

  /** Operations that clients have called. */
  get operations(): number {
    return this.#history.operations.length
  }

  sleep(duration: Milliseconds): Promise<void> {
    return sleep(this.clock, duration)
  }

  join(...groups: readonly number[]): Promise<void> {
    const joining = groups.map((group) => [gidOf(group), SERVERS.map((server) => nameOf(group, server))])
    return this.controller.join(Object.fromEntries(joining) as Record<number, string[]>)
  }

  leave(...groups: readonly number[]): Promise<void> {
    return this.controller.leave(groups.map(gidOf))
  }

  config(): Promise<LabConfig> {
    return this.controller.query(-1)
  }

  shutdown(group: number, server: number): void {
    this.#group(group).crash(server)
  }

  /** Starts it from what it saved. */
  start(group: number, server: number): void {
    startIn(this.#group(group), server)
  }

  shutdownGroup(group: number): void {
    for (const server of SERVERS) this.shutdown(group, server)
  }

  startGroup(group: number): void {
    for (const server of SERVERS) this.start(group, server)
  }

  /** Bytes that each server of all groups has saved: its Raft's state, and its snapshot. */
  saved(): { readonly name: string; readonly state: number; readonly snapshot: number }[] {
    return LAB_GROUPS.flatMap((group) =>
      SERVERS.map((server) => {
        const persister = this.#group(group).persister(server)
        return {
          name: nameOf(group, server),
          state: persister.stateSize(),
          snapshot: persister.readSnapshot().length,
        }
      }),
    )
  }

  /** Work that goes on beside the scenario: what it finds broken ends the test at once. */
  beside<T>(work: Promise<T>): Promise<T> {
    work.catch((thrown: unknown) => {
      this.#reject(toError(thrown))
    })
    return work
  }

  /** A new client. @param makeController whose word it takes for who serves what. Default: the controllers' */
  client(controllers?: readonly LabPeer[]): LabShardClerk {
    const name = `c${String(++this.#clients)}`
    const reach = (server: string): LabPeer => this.#reach(name, server)
    const clerk = this.#options.makeClerk(
      { reach, controllers: controllers ?? SERVERS.map((each) => reach(this.#controllers.name(each))) },
      this.#clientEnv(name),
    )
    return this.#history.recorded(name, clerk)
  }

  /** Ways to controllers of their own, which know what `tell` tells them: for clients that are misled. */
  async otherControllers(tell: (clerk: LabControllerClerk) => Promise<void>): Promise<readonly LabPeer[]> {
    const { clock, trace } = this.#options
    const servers = new LabServers<LabControllerServer>({
      ...{ network: this.network, clock, random: this.random, trace, onError: this.#reject },
      names: SERVERS.map((server) => `rogue${String(server + 1)}`),
      make: ({ peers, server, persister, env }) =>
        this.#options.makeController(peers, server, persister, env),
    })
    for (const each of SERVERS) startIn(servers, each)
    const ways = SERVERS.map((each) => this.#reach('rogue', servers.name(each)))
    await tell(this.#options.makeControllerClerk(ways, this.#clientEnv('rogue')))
    return ways
  }

  /** Holds all that clients saw against what one store alone would do. */
  checkHistory(): void {
    const seen = this.#history.contradiction()
    if (seen !== null) fail('linearizable', seen)
  }

  /** Ends every instance. */
  stop(): void {
    this.network.cleanup()
    this.#controllers.stop()
    for (const servers of this.#groups) servers.stop()
  }

  #group(group: number): LabServers<LabInstance> {
    const servers = this.#groups[group]
    if (servers === undefined) throw new RangeError(`there is no group ${String(group)}`)
    return servers
  }

  #controllerClerk(name: string): LabControllerClerk {
    const ways = SERVERS.map((each) => this.#reach(name, this.#controllers.name(each)))
    return this.#options.makeControllerClerk(ways, this.#clientEnv(name))
  }

  #clientEnv(name: string): { clock: Clock; random: Random; note: (topic: string, text: string) => void } {
    const { trace } = this.#options
    return {
      clock: this.clock,
      random: this.#splitRandom(),
      note: (topic, text) => void trace?.({ n: name, k: 'note', topic, text }),
    }
  }

  #reach(owner: string, server: string): LabPeer {
    const end = this.network.makeEnd(`${owner}>${server}#${String(++this.#ends)}`, { owner })
    this.network.connect(end.name, server)
    this.network.enable(end.name, true)
    return { call: (method, args) => end.call(method, args as LabValue) }
  }

  #splitRandom(): Random {
    return seededRandom(this.random.integer(0, 2 ** 32 - 1))
  }
}

export function gidOf(group: number): number {
  return 100 + group
}

function nameOf(group: number, server: number): string {
  return `g${String(gidOf(group))}-${String(server + 1)}`
}

/** Starts it, and joins it with those of its own that run. */
function startIn<T extends LabInstance>(servers: LabServers<T>, server: number): void {
  servers.start(server)
  for (const other of servers.all) if (servers.instance(other) !== null) servers.link(server, other, true)
}

/** The labs' cluster of part 4A: three servers of a controller on the labs' network, and clients. Servers are numbered from 0. */
import { LabServers, describeLabJson, type LabPeer } from '@lab/raft/testing'
import { seededRandom, sleep, type Clock, type Milliseconds, type Random, type TraceSink } from '@lab/rpc'
import { LabNetwork, type LabValue } from '@lab/rpc/testing'
import type { ControllerLabOptions, LabControllerClerk, LabControllerServer } from './lab-interface.ts'

export const LAB_CONTROLLERS = 3

export interface ControllerLabClusterOptions extends ControllerLabOptions {
  readonly seed: number
  readonly clock: Clock
  readonly trace?: TraceSink | undefined
}

export class ControllerLabCluster {
  readonly clock: Clock
  readonly network: LabNetwork
  /** Rejects as soon as a rule is broken anywhere; never resolves. */
  readonly broken: Promise<never>
  /** What clients have asked. */
  operations = 0
  readonly #options: ControllerLabClusterOptions
  readonly #servers: LabServers<LabControllerServer>
  readonly #random: Random
  #reject: (error: Error) => void = () => undefined
  #clients = 0

  constructor(options: ControllerLabClusterOptions) {
    const { clock, trace, seed, describe = describeLabJson } = options
    this.#options = options
    this.clock = clock
    this.#random = seededRandom(seed)
    this.network = new LabNetwork({
      clock,
      random: this.#splitRandom(),
      describe,
      ...(trace === undefined ? {} : { trace }),
    })
    this.broken = new Promise((_, reject) => {
      this.#reject = reject
    })
    this.broken.catch(() => undefined)
    this.#servers = new LabServers({
      ...{ network: this.network, clock, random: this.#random, trace },
      names: Array.from({ length: LAB_CONTROLLERS }, (_, server) => `c${String(server + 1)}`),
      make: ({ peers, server, persister, env }) => options.makeServer(peers, server, persister, env),
      onError: this.#reject,
    })
    for (const server of this.servers) this.start(server)
  }

  /** All numbers of servers. */
  get servers(): readonly number[] {
    return this.#servers.all
  }

  crash(server: number): void {
    this.#servers.crash(server)
  }

  /** Starts it, from what it saved, and joins it with those that run. */
  start(server: number): void {
    this.#servers.start(server)
    for (const other of this.servers)
      if (this.#servers.instance(other) !== null) this.#servers.link(server, other, true)
  }

  /** Of those that say that they lead, the one of the latest term; null when nobody does. */
  leader(): number | null {
    const leaders = this.servers.flatMap((server) => {
      const state = this.#servers.instance(server)?.getState()
      return state?.isLeader === true ? [{ server, term: state.term }] : []
    })
    return leaders.sort((a, b) => b.term - a.term)[0]?.server ?? null
  }

  sleep(duration: Milliseconds): Promise<void> {
    return sleep(this.clock, duration)
  }

  /** A new client, which reaches all servers. */
  client(): LabControllerClerk {
    const name = `client${String(++this.#clients)}`
    const peers = this.#shuffled().map((server): LabPeer => {
      const end = this.network.makeEnd(`${name}>${this.#servers.name(server)}`, { owner: name })
      this.network.connect(end.name, this.#servers.name(server))
      this.network.enable(end.name, true)
      return { call: (method, args) => end.call(method, args as LabValue) }
    })
    const clerk = this.#options.makeClerk(peers, {
      clock: this.clock,
      random: this.#splitRandom(),
      note: (topic, text) => void this.#options.trace?.({ n: name, k: 'note', topic, text }),
    })
    const counted = <T>(work: Promise<T>): Promise<T> => {
      this.operations++
      return work
    }
    return {
      query: (num) => counted(clerk.query(num)),
      join: (groups) => counted(clerk.join(groups)),
      leave: (gids) => counted(clerk.leave(gids)),
      move: (shard, gid) => counted(clerk.move(shard, gid)),
    }
  }

  /** Ends every instance. */
  stop(): void {
    this.network.cleanup()
    this.#servers.stop()
  }

  #shuffled(): number[] {
    const left = [...this.servers]
    return this.servers.flatMap(() => left.splice(this.#random.integer(0, left.length - 1), 1))
  }

  #splitRandom(): Random {
    return seededRandom(this.#random.integer(0, 2 ** 32 - 1))
  }
}

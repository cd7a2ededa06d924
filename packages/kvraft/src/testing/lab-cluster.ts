/**
 * The labs' cluster of part 3: servers of a key/value service on the labs' network, clients with ways of their own, and all that
 * the clients saw. Servers are numbered from 0.
 */
import { LabServers, describeLabJson, type LabPeer } from '@lab/raft/testing'
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
import { LabHistory } from './lab-history.ts'
import { fail } from './lab-rules.ts'
import type { KvLabOptions, LabClerk, LabKvServer } from './lab-interface.ts'

export interface KvLabClusterOptions extends KvLabOptions {
  readonly servers: number
  readonly seed: number
  readonly clock: Clock
  readonly trace?: TraceSink | undefined
  /** Off: the labs' unreliable network. */
  readonly reliable: boolean
  /** −1: no snapshots. */
  readonly maxRaftState: number
}

/** A clerk whose calls are taken down, and whose ways can be cut. */
export interface Client extends LabClerk {
  /** It reaches these servers and no others. */
  reach(servers: readonly number[]): void
}

export class KvLabCluster {
  readonly clock: Clock
  /** The scenario's own; servers, clients and network draw from others. */
  readonly random: Random
  readonly network: LabNetwork
  readonly maxRaftState: number
  /** Rejects as soon as a rule is broken anywhere; never resolves. */
  readonly broken: Promise<never>
  readonly #options: KvLabClusterOptions
  readonly #servers: LabServers<LabKvServer>
  readonly #history: LabHistory
  #reject: (error: Error) => void = () => undefined
  #clients = 0

  constructor(options: KvLabClusterOptions) {
    const { clock, trace, seed, servers, maxRaftState, describe = describeLabJson } = options
    this.#options = options
    this.clock = clock
    this.maxRaftState = maxRaftState
    this.random = seededRandom(seed)
    const random = this.#splitRandom()
    this.network = new LabNetwork({ clock, random, describe, ...(trace === undefined ? {} : { trace }) })
    this.network.reliable = options.reliable
    this.broken = new Promise((_, reject) => {
      this.#reject = reject
    })
    this.broken.catch(() => undefined)
    this.#history = new LabHistory({ clock, trace, onError: this.#reject })
    this.#servers = new LabServers({
      ...{ network: this.network, clock, random: this.random, trace },
      names: Array.from({ length: servers }, (_, server) => `n${String(server + 1)}`),
      make: ({ peers, server, persister, env }) =>
        options.makeServer(peers, server, persister, maxRaftState, env),
      onError: this.#reject,
    })
    for (const server of this.servers) this.#servers.start(server)
    this.joinAll()
  }

  /** All numbers of servers. */
  get servers(): readonly number[] {
    return this.#servers.all
  }

  /** Operations that clients have called. */
  get operations(): number {
    return this.#history.operations.length
  }

  name(server: number): string {
    return this.#servers.name(server)
  }

  /** Bytes of a server's persisted state, without the snapshot. */
  stateSize(server: number): number {
    return this.#servers.persister(server).stateSize()
  }

  snapshotSize(server: number): number {
    return this.#servers.persister(server).readSnapshot().length
  }

  /** Of those that say that they lead, the one of the latest term; null when nobody does. */
  leader(): number | null {
    let leader: number | null = null
    let latest = -1
    for (const server of this.servers) {
      const state = this.#servers.instance(server)?.getState()
      if (state?.isLeader !== true || state.term <= latest) continue
      leader = server
      latest = state.term
    }
    return leader
  }

  sleep(duration: Milliseconds): Promise<void> {
    return sleep(this.clock, duration)
  }

  /** Opens all ways between servers. */
  joinAll(): void {
    this.partition(this.servers)
  }

  /** Servers reach those of their own side and no others. */
  partition(...sides: readonly (readonly number[])[]): void {
    this.#tellFault(
      `partition ${sides.map((side) => side.map((one) => this.name(one)).join(',')).join(' | ')}`,
    )
    for (const one of this.servers)
      for (const other of this.servers)
        this.#servers.link(
          one,
          other,
          sides.some((side) => side.includes(one) && side.includes(other)),
        )
  }

  crashAll(): void {
    for (const server of this.servers) this.#servers.crash(server)
  }

  /** Starts all again, from what they saved, and joins them. */
  startAll(): void {
    for (const server of this.servers) this.#servers.start(server)
    this.joinAll()
  }

  /** Work that goes on beside the scenario: what it finds broken ends the test at once. */
  beside<T>(work: Promise<T>): Promise<T> {
    work.catch((thrown: unknown) => {
      this.#reject(toError(thrown))
    })
    return work
  }

  /** A new client. It reaches all servers. */
  client(): Client {
    const name = `c${String(++this.#clients)}`
    const ends = this.#shuffled().map((server) => {
      const end = this.network.makeEnd(`${name}>${this.name(server)}`, { owner: name })
      this.network.connect(end.name, this.name(server))
      return { server, end }
    })
    const peers = ends.map(({ end }): LabPeer => ({
      call: (method, args) => end.call(method, args as LabValue),
    }))
    const clerk = this.#options.makeClerk(peers, {
      clock: this.clock,
      random: this.#splitRandom(),
      note: (topic, text) => void this.#options.trace?.({ n: name, k: 'note', topic, text }),
    })
    const reach = (servers: readonly number[]): void => {
      for (const { server, end } of ends) this.network.enable(end.name, servers.includes(server))
    }
    reach(this.servers)
    return { reach, ...this.#history.recorded(name, clerk) }
  }

  /** Holds all that clients saw against what one store alone would do. */
  checkHistory(): void {
    const seen = this.#history.contradiction()
    if (seen !== null) fail('linearizable', seen)
  }

  /** As {@link checkHistory} for a key that was only appended to: what ended before another began stands before it in the value. */
  checkAppends(key: string, value: string): void {
    const appends = this.#history.operations.flatMap(({ op, call, return: end }) =>
      op.op === 'append' && op.key === key
        ? [{ marker: op.value, at: value.indexOf(op.value), call, end }]
        : [],
    )
    // From the end: whatever stands before must have been called before all that stand behind it had returned.
    let earliest: { readonly marker: string; readonly end: number } = { marker: '', end: Infinity }
    for (const append of appends.sort((a, b) => b.at - a.at)) {
      if (append.call > earliest.end)
        fail(
          'linearizable',
          `"${earliest.marker}" was there before "${append.marker}" was sent, and stands behind it`,
        )
      if (append.end < earliest.end) earliest = append
    }
  }

  /** Ends every instance. */
  stop(): void {
    this.network.cleanup()
    this.#servers.stop()
  }

  #shuffled(): number[] {
    const left = [...this.servers]
    return this.servers.flatMap(() => left.splice(this.random.integer(0, left.length - 1), 1))
  }

  #tellFault(what: string): void {
    this.#options.trace?.({ n: '', k: 'fault', what })
  }

  #splitRandom(): Random {
    return seededRandom(this.random.integer(0, 2 ** 32 - 1))
  }
}

/**
 * Servers of any kind on the labs' network, over all their lives. A life gets its own ends and its own copy of the disk: what a
 * killed instance still does reaches nobody. Servers are numbered from 0.
 */
import { seededRandom, toError, type Clock, type Random, type TraceSink } from '@lab/rpc'
import { LabServer, type LabHandler, type LabNetwork, type LabValue } from '@lab/rpc/testing'
import { LabFailure, labRules } from './lab-failure.ts'
import type { LabEnv, LabMethod, LabPeer } from './lab-interface.ts'
import { MemoryPersister } from './lab-persister.ts'

/** What runs on a server: a Raft, or a service with one below it. */
export interface LabInstance {
  /** What others may call, by name. A handler that throws fails the test. */
  readonly handlers: Readonly<Record<string, LabMethod>>
  /** It is gone: its timers shall end. */
  kill(): void
}

/** What a life of a server is made from. */
export interface LabLife {
  readonly server: number
  /** Another one for each life of this server. */
  readonly number: number
  /** The ways to all servers of the group; `peers[server]` is itself. */
  readonly peers: readonly LabPeer[]
  readonly persister: MemoryPersister
  readonly env: LabEnv
  /** False once it was crashed. */
  isOver(): boolean
}

export interface LabServersOptions<T extends LabInstance> {
  readonly network: LabNetwork
  readonly clock: Clock
  /** Seeds each life's own. */
  readonly random: Random
  readonly trace?: TraceSink | undefined
  /** What the network calls them, one for each server. */
  readonly names: readonly string[]
  readonly make: (life: LabLife) => T
  /** Of the event that tells of a start. */
  readonly describe?: (instance: T) => Readonly<Record<string, unknown>>
  /** A server is about to call, or has answered: the moments at which something may be seen of it. */
  readonly onActive?: (server: number) => void
  /** Something broke where a throw would reach nobody. */
  readonly onError: (error: Error) => void
}

/** What is kept of one server over all its lives. */
interface Host<T> {
  readonly name: string
  /** Counts up at each start and each crash: what belongs to an earlier number is a ghost's. */
  life: number
  instance: T | null
  persister: MemoryPersister
  /** Names of this life's ends, by the server that they lead to. */
  ends: readonly string[]
}

export class LabServers<T extends LabInstance> {
  readonly #options: LabServersOptions<T>
  readonly #hosts: Host<T>[]

  /** None of them runs yet, and their disks are empty. */
  constructor(options: LabServersOptions<T>) {
    this.#options = options
    this.#hosts = options.names.map((name) => ({
      name,
      life: 0,
      instance: null,
      persister: new MemoryPersister(),
      ends: [],
    }))
  }

  /** All numbers of servers. */
  get all(): readonly number[] {
    return this.#hosts.map((_, server) => server)
  }

  name(server: number): string {
    return this.#host(server).name
  }

  /** What runs there; null when nothing does. */
  instance(server: number): T | null {
    return this.#host(server).instance
  }

  /** What the present life has saved. */
  persister(server: number): MemoryPersister {
    return this.#host(server).persister
  }

  /** Starts a life from what the last one saved, after a crash if need be. Its ends are cut: see {@link link}. */
  start(server: number): T {
    const { network, make, trace, describe } = this.#options
    const host = this.#host(server)
    if (host.instance !== null) this.crash(server)
    const number = ++host.life
    const instance = make({
      server,
      number,
      peers: this.#makePeers(server),
      persister: host.persister,
      env: this.#env(host, number),
      isOver: () => host.life !== number,
    })
    host.instance = instance
    trace?.({ n: host.name, k: 'start', life: number, ...describe?.(instance) })
    network.addServer(host.name, new LabServer(this.#handlersOf(server, instance)))
    return instance
  }

  /** Kills the instance. What it saved stays. */
  crash(server: number): void {
    const host = this.#host(server)
    for (const other of this.all) this.link(server, other, false)
    this.#options.network.deleteServer(host.name)
    host.life++
    host.persister = host.persister.copy()
    host.instance?.kill()
    host.instance = null
    this.#options.trace?.({ n: host.name, k: 'stop', why: 'crash' })
  }

  /** Opens or cuts the ways between two servers, both directions. */
  link(one: number, other: number, isOpen: boolean): void {
    for (const end of [this.#host(one).ends[other], this.#host(other).ends[one]])
      if (end !== undefined) this.#options.network.enable(end, isOpen)
  }

  /** Ends every instance, for good. */
  stop(): void {
    for (const host of this.#hosts) {
      host.life++
      host.instance?.kill()
      host.instance = null
    }
  }

  #env(host: Host<T>, life: number): LabEnv {
    const { clock, random, trace, onError } = this.#options
    return {
      clock,
      random: seededRandom(random.integer(0, 2 ** 32 - 1)),
      note: (topic, text) => {
        if (host.life === life) trace?.({ n: host.name, k: 'note', topic, text })
      },
      fail: (thrown) => {
        onError(toError(thrown))
      },
    }
  }

  #makePeers(server: number): LabPeer[] {
    const { network, onActive } = this.#options
    const host = this.#host(server)
    const ends = this.#hosts.map(({ name }) => {
      const end = network.makeEnd(`${host.name}.${String(host.life)}>${name}`, { owner: host.name })
      network.connect(end.name, name)
      return end
    })
    host.ends = ends.map(({ name }) => name)
    return ends.map((end) => ({
      call: (method, args) => {
        onActive?.(server)
        return end.call(method, args as LabValue)
      },
    }))
  }

  #handlersOf(server: number, instance: T): Record<string, LabHandler> {
    const { onActive, onError } = this.#options
    const wrap =
      (method: string): LabHandler =>
      async (args) => {
        try {
          // The interface lets each handler name the type of its own arguments.
          return ((await instance.handlers[method]?.(args as never)) ?? null) as LabValue
        } catch (thrown) {
          const seen = `${this.name(server)}'s handler of ${method} threw ${String(thrown)}`
          onError(
            thrown instanceof LabFailure
              ? thrown
              : new LabFailure('handlersReturn', labRules.handlersReturn, seen, { cause: thrown }),
          )
          return null
        } finally {
          onActive?.(server)
        }
      }
    return Object.fromEntries(Object.keys(instance.handlers).map((method) => [method, wrap(method)]))
  }

  #host(server: number): Host<T> {
    const host = this.#hosts[server]
    if (host === undefined) throw new RangeError(`there is no server ${String(server)}`)
    return host
  }
}

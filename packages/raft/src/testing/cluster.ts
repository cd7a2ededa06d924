/**
 * A cluster of real nodes in one process and in virtual time: the memory network, memory storage and a manual clock, so that a test
 * of your state machine or service can crash, cut off and restart servers, and does the same in every run of a seed.
 *
 *     const t = await RaftCluster.start({ servers: 3, seed: 7, stateMachine: () => new Counter() })
 *     const leader = await t.leader()
 *     await t.settle(leader.propose({ add: 1 }))
 *     await t.crash(leader.id)
 */
import {
  assert,
  seededRandom,
  type Clock,
  type Milliseconds,
  type Random,
  type TraceEvent,
  type TraceSink,
  type Transport,
} from '@lab/rpc'
import { MemoryNetwork, memory } from '@lab/rpc/memory'
import { ManualClock } from '@lab/rpc/testing'
import { RaftClient, type RaftClientOptions } from '../client.ts'
import { RaftNode } from '../node.ts'
import type { RaftNodeOptions } from '../options.ts'
import type { StateMachine } from '../state-machine.ts'
import { memoryStorage, type MemoryStorage } from '../storage/memory.ts'
import type { NodeId } from '../types.ts'
import { OneLife } from './one-life.ts'

export interface RaftClusterOptions<M extends StateMachine> {
  /** How many, called n1, n2, … Default 3. */
  readonly servers?: number
  /** Decides everything that chance decides. Default 1. */
  readonly seed?: number
  /** A fresh machine for each start of a server. */
  readonly stateMachine?: () => M
  /** For every server; `options(id)` for a single one. */
  readonly options?: ServerOptions<M> | ((id: NodeId) => ServerOptions<M>)
  /** Puts something around each server's way to the network: a slow line, one that damages what it carries. */
  readonly transport?: (own: Transport, clock: Clock) => Transport
}

type ServerOptions<M extends StateMachine> = Partial<
  Omit<RaftNodeOptions<M>, 'id' | 'members' | 'storage' | 'stateMachine'>
>

interface Server<M extends StateMachine> {
  readonly storage: MemoryStorage
  life: OneLife
  /** Null while crashed. */
  node: RaftNode<M> | null
}

/** How long virtual time may pass before a test gives up. */
const LIMIT_MS = 60_000

export class RaftCluster<M extends StateMachine = StateMachine> {
  readonly clock = new ManualClock()
  readonly network: MemoryNetwork
  /** Everything that the servers told, in order: equal for equal seeds. */
  readonly trace: TraceEvent[] = []
  /** The servers that it began with, then those that joined. */
  readonly ids: NodeId[]
  readonly #options: RaftClusterOptions<M>
  readonly #random: Random
  readonly #servers = new Map<NodeId, Server<M>>()
  /** Those that joined, and where they listen. */
  readonly #joined = new Map<NodeId, string>()
  readonly #first: readonly NodeId[]
  #clients = 0

  /** Starts all servers. */
  static async start<M extends StateMachine = StateMachine>(
    options: RaftClusterOptions<M> = {},
  ): Promise<RaftCluster<M>> {
    const cluster = new RaftCluster(options)
    await cluster.settle(Promise.all(cluster.ids.map((id) => cluster.#begin(id))))
    return cluster
  }

  private constructor(options: RaftClusterOptions<M>) {
    this.#options = options
    this.#first = Array.from({ length: options.servers ?? 3 }, (_, i) => `n${i + 1}`)
    this.ids = [...this.#first]
    this.#random = seededRandom(options.seed ?? 1)
    const { clock } = this
    this.network = new MemoryNetwork({ clock, random: seededRandom(this.#random.integer(0, 2 ** 31)) })
  }

  /** The running server of that name. */
  node(id: NodeId): RaftNode<M> {
    const node = this.#server(id).node
    assert(node !== null, `${id} runs`)
    return node
  }

  /** All that run. */
  get nodes(): RaftNode<M>[] {
    return [...this.#servers.values()].flatMap(({ node }) => (node === null ? [] : [node]))
  }

  /** Waits until one of `among` (default: all) leads, and nobody of them in a later term. */
  async leader({ among = this.ids }: { readonly among?: readonly NodeId[] } = {}): Promise<RaftNode<M>> {
    let leader: RaftNode<M> | undefined
    await this.until(() => {
      const nodes = this.nodes.filter(({ id }) => among.includes(id))
      const leaders = nodes.filter((node) => node.status().role === 'leader')
      leader = leaders.sort((a, b) => b.status().term - a.status().term)[0]
      return leader !== undefined && nodes.every((node) => node.status().term <= (leader?.status().term ?? 0))
    })
    assert(leader !== undefined, 'there is a leader')
    return leader
  }

  /** All servers but these. */
  except(...without: readonly (NodeId | RaftNode<M>)[]): NodeId[] {
    const ids = without.map((item) => (typeof item === 'string' ? item : item.id))
    return this.ids.filter((id) => !ids.includes(id))
  }

  /** As SIGKILL, or the power: what is not on disk is gone, connections break. */
  async crash(id: NodeId): Promise<void> {
    const server = this.#server(id)
    const node = server.node
    if (node === null) return
    server.node = null
    this.#tell({ n: id, k: 'fault', what: 'crash' })
    this.network.crash(id)
    node.close().catch(() => undefined)
    server.life.end()
    server.storage.crash()
    await this.clock.advance(0)
  }

  /** The disk of a crashed server. */
  storage(id: NodeId): MemoryStorage {
    return this.#server(id).storage
  }

  /** Starts a crashed server again, with what its disk kept. `wiped`: with an empty one. */
  async restart(id: NodeId, { wiped = false }: { readonly wiped?: boolean } = {}): Promise<RaftNode<M>> {
    if (wiped) {
      this.#servers.delete(id)
      this.#tell({ n: id, k: 'fault', what: 'wipe' })
    }
    await this.settle(this.#begin(id))
    return this.node(id)
  }

  /** Starts a server that waits to be added, with `changeMembership` at any other. Its disk is empty. */
  async join(
    id: NodeId,
    { listen = `memory://${id}` }: { readonly listen?: string } = {},
  ): Promise<RaftNode<M>> {
    this.#servers.delete(id)
    if (!this.ids.includes(id)) this.ids.push(id)
    this.#joined.set(id, listen)
    await this.settle(this.#begin(id))
    return this.node(id)
  }

  /** Cuts the servers off from everybody else, clients included; `heal` mends it. Nobody is told. */
  isolate(...ids: readonly NodeId[]): void {
    this.#tell({ n: '', k: 'fault', what: 'isolate', nodes: ids })
    for (const id of ids)
      for (const other of this.#everybody())
        if (other !== id) {
          this.network.cut(id, other)
          this.network.cut(other, id)
        }
  }

  /** Only servers of one group reach each other; clients reach all. */
  partition(...groups: readonly (readonly NodeId[])[]): void {
    this.#tell({ n: '', k: 'fault', what: 'partition', groups })
    this.network.partition(...groups)
  }

  heal(): void {
    this.#tell({ n: '', k: 'fault', what: 'heal' })
    this.network.heal()
  }

  /** A client of the cluster. `name` is its own in `network.cut`. */
  async client<C = unknown, R = unknown, Q = unknown, A = unknown>(
    options: Partial<RaftClientOptions<C, R, Q, A>> & { readonly name?: string } = {},
  ): Promise<RaftClient<C, R, Q, A>> {
    const { name = `client${++this.#clients}`, ...rest } = options
    const random = seededRandom(this.#random.integer(0, 2 ** 31))
    const servers = this.ids.map((id) => `memory://${id}`)
    const transport = memory(this.network, { name })
    return this.settle(
      RaftClient.connect<C, R, Q, A>({ servers, transport, clock: this.clock, random, ...rest }),
    )
  }

  /** Lets virtual time pass until `work` has settled. @throws what it rejects with */
  settle<T>(work: Promise<T>, limitMs: Milliseconds = LIMIT_MS): Promise<T> {
    return this.clock.settle(work, { limitMs })
  }

  /** Lets virtual time pass until `condition` holds. @throws when it does not within `limitMs` */
  until(condition: () => boolean, limitMs: Milliseconds = LIMIT_MS): Promise<void> {
    return this.clock.run(condition, { limitMs })
  }

  /** Lets virtual time pass. */
  advance(duration: Milliseconds): Promise<void> {
    return this.clock.advance(duration)
  }

  /** Stops all. */
  async close(): Promise<void> {
    this.heal()
    await this.settle(Promise.all(this.nodes.map((node) => node.close())))
  }

  async #begin(id: NodeId): Promise<void> {
    const { clock, network } = this
    const storage =
      this.#servers.get(id)?.storage ??
      memoryStorage({ clock, random: seededRandom(this.#random.integer(0, 2 ** 31)) })
    const life = new OneLife(storage)
    const server: Server<M> = { storage, life, node: null }
    this.#servers.set(id, server)
    const { stateMachine, options, transport = (own: Transport): Transport => own } = this.#options
    server.node = await RaftNode.start<M>({
      ...this.#members(id),
      transport: transport(memory(network, { name: id }), clock),
      clock,
      random: seededRandom(this.#random.integer(0, 2 ** 31)),
      trace: (event) => this.#tell(event),
      ...(stateMachine === undefined ? {} : { stateMachine: stateMachine() }),
      ...(typeof options === 'function' ? options(id) : options),
      id,
      storage: life,
    })
  }

  readonly #tell: TraceSink = (event) =>
    this.trace.push({ ...event, i: this.trace.length + 1, t: Math.round(this.clock.now() * 1000) })

  #members(id: NodeId): Pick<RaftNodeOptions<M>, 'members' | 'join' | 'listen'> {
    const addresses = this.#first.map((member) => [member, `memory://${member}`] as const)
    const listen = this.#joined.get(id)
    if (listen === undefined) return { members: Object.fromEntries(addresses) }
    return { join: addresses.map(([, address]) => address), listen }
  }

  #everybody(): string[] {
    return [...this.ids, ...Array.from({ length: this.#clients }, (_, i) => `client${i + 1}`)]
  }

  #server(id: NodeId): Server<M> {
    const server = this.#servers.get(id)
    assert(server !== undefined, `${id} is one of ${this.ids.join(', ')}`)
    return server
  }
}

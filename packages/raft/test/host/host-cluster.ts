/** Three processes of many groups on the memory network, simulated disks and a manual clock. */
import { assert, seededRandom, type Milliseconds, type Random, type TraceEvent } from '@lab/rpc'
import { MemoryNetwork, memory } from '@lab/rpc/memory'
import { ManualClock } from '@lab/rpc/testing'
import { SimDisk } from '@lab/sim'
import { TraceChecker, formatViolation } from '@lab/trace'
import { expect } from 'vitest'
import { RaftClient, RaftHost, type RaftHostOptions, type RaftNode } from '../../src/index.ts'
import { fileHostStorage } from '../../src/storage/file/index.ts'
import { appender, type Appender } from '../node/appender.ts'

export interface HostClusterOptions {
  readonly groups: readonly number[]
  readonly seed?: number
  readonly servers?: number
  readonly options?: Partial<RaftHostOptions>
}

interface Process {
  readonly disk: SimDisk
  host: RaftHost | null
  readonly nodes: Map<number, RaftNode<Appender>>
}

const LIMIT_MS = 60_000

export class HostCluster {
  readonly clock = new ManualClock()
  readonly network: MemoryNetwork
  readonly ids: readonly string[]
  readonly groups: readonly number[]
  readonly trace: TraceEvent[] = []
  readonly #options: HostClusterOptions
  readonly #random: Random
  readonly #processes = new Map<string, Process>()

  /** Starts all processes and all groups. */
  static async start(options: HostClusterOptions): Promise<HostCluster> {
    const cluster = new HostCluster(options)
    await cluster.settle(Promise.all(cluster.ids.map((id) => cluster.#begin(id))))
    return cluster
  }

  private constructor(options: HostClusterOptions) {
    this.#options = options
    this.groups = options.groups
    this.ids = Array.from({ length: options.servers ?? 3 }, (_, i) => `n${i + 1}`)
    this.#random = seededRandom(options.seed ?? 1)
    this.network = new MemoryNetwork({ clock: this.clock, random: this.#fork() })
  }

  get members(): Record<string, string> {
    return Object.fromEntries(this.ids.map((id) => [id, `memory://${id}`]))
  }

  host(id: string): RaftHost {
    const host = this.#process(id).host
    assert(host !== null, `${id} runs`)
    return host
  }

  node(id: string, group: number): RaftNode<Appender> {
    const node = this.#process(id).nodes.get(group)
    assert(node !== undefined, `group ${group} runs on ${id}`)
    return node
  }

  /** The nodes of a group that run. */
  nodesOf(group: number): RaftNode<Appender>[] {
    return this.ids.flatMap((id) => this.#process(id).nodes.get(group) ?? [])
  }

  /** Who leads the group in the latest term, if all that run and are not left out agree. */
  leaderOf(group: number, without: readonly string[] = []): RaftNode<Appender> | null {
    const nodes = this.nodesOf(group).filter(({ id }) => !without.includes(id))
    const leader = nodes.find((node) => node.status().role === 'leader')
    const term = leader?.status().term ?? 0
    return nodes.every((node) => node.status().leader === leader?.id && node.status().term === term)
      ? (leader ?? null)
      : null
  }

  /** Waits until every group has one leader that all that run agree on. */
  async led(without: readonly string[] = []): Promise<void> {
    await this.until(() => this.groups.every((group) => this.leaderOf(group, without) !== null))
  }

  /** As SIGKILL and a power cut. */
  async crash(id: string): Promise<void> {
    const process = this.#process(id)
    const host = process.host
    if (host === null) return
    process.host = null
    process.nodes.clear()
    this.#tell({ n: id, k: 'fault', what: 'crash' })
    this.network.crash(id)
    host.close().catch(() => undefined)
    process.disk.crash()
    await this.clock.advance(0)
  }

  async restart(id: string): Promise<void> {
    await this.settle(this.#begin(id))
  }

  async startGroup(id: string, group: number): Promise<RaftNode<Appender>> {
    const process = this.#process(id)
    const node = await this.host(id).startGroup({
      group,
      members: this.members,
      stateMachine: appender(),
    })
    process.nodes.set(group, node)
    return node
  }

  /** The group stops in this process alone. */
  async stopGroup(id: string, group: number): Promise<void> {
    await this.settle(this.node(id, group).close())
    this.#process(id).nodes.delete(group)
  }

  async client(group: number): Promise<RaftClient<string, number, 'length' | 'all'>> {
    const transport = memory(this.network, { name: 'client' })
    const servers = this.ids.map((id) => `memory://${id}`)
    return this.settle(
      RaftClient.connect({ group, servers, transport, clock: this.clock, random: this.#fork() }),
    )
  }

  /** Messages on the network, of any kind, per second of virtual time. */
  async messagesPerSecond(millis: Milliseconds): Promise<number> {
    const before = this.network.counters().sent
    await this.advance(millis)
    return ((this.network.counters().sent - before) * 1000) / millis
  }

  settle<T>(work: Promise<T>): Promise<T> {
    return this.clock.settle(work, { limitMs: LIMIT_MS })
  }

  until(condition: () => boolean, limitMs: Milliseconds = LIMIT_MS): Promise<void> {
    return this.clock.run(condition, { limitMs })
  }

  advance(millis: Milliseconds): Promise<void> {
    return this.clock.advance(millis)
  }

  async close(): Promise<void> {
    this.network.heal()
    await this.settle(Promise.all(this.ids.flatMap((id) => this.#process(id).host?.close() ?? [])))
  }

  /** Holds what each group told to every rule of the paper. */
  expectRules(): void {
    for (const group of this.groups) {
      const checker = new TraceChecker()
      const own = this.trace.filter((event) => event.k === 'fault' || (event.g ?? 0) === group)
      expect(own.flatMap((event) => checker.feed(event)).map(formatViolation)).toEqual([])
    }
  }

  async #begin(id: string): Promise<void> {
    const known = this.#processes.get(id)
    const process: Process = known ?? {
      disk: new SimDisk({ random: this.#fork(), clock: this.clock }),
      host: null,
      nodes: new Map(),
    }
    this.#processes.set(id, process)
    process.host = await RaftHost.start({
      listen: `memory://${id}`,
      transport: memory(this.network, { name: id }),
      clock: this.clock,
      random: this.#fork(),
      trace: (event) => this.#tell(event),
      ...this.#options.options,
      id,
      storage: fileHostStorage('data', {
        disk: process.disk.process(),
        random: this.#fork(),
        segmentBytes: 256 * 1024,
      }),
    })
    await Promise.all(this.groups.map((group) => this.startGroup(id, group)))
  }

  #tell(event: Omit<TraceEvent, 'i' | 't'>): number {
    return this.trace.push({
      ...event,
      i: this.trace.length + 1,
      t: Math.round(this.clock.now() * 1000),
    } as TraceEvent)
  }

  #process(id: string): Process {
    const process = this.#processes.get(id)
    assert(process !== undefined, `${id} is one of ${this.ids.join(', ')}`)
    return process
  }

  #fork(): Random {
    return seededRandom(this.#random.integer(0, 2 ** 31))
  }
}

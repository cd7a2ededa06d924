/** Processes of many groups in a simulated world. */
import { assert, type Milliseconds, type TraceEvent } from '@lab/rpc'
import { memory } from '@lab/rpc/memory'
import { World, type SimProcess } from '@lab/sim'
import { TraceChecker, formatViolation } from '@lab/trace'
import { expect } from 'vitest'
import { RaftClient, RaftHost, type RaftHostOptions, type RaftNode } from '../../src/index.ts'
import { fileHostStorage } from '../../src/storage/file/index.ts'
import { appender, type Appender } from '../node/appender.ts'

export interface HostClusterOptions {
  readonly groups: readonly number[]
  readonly seed?: number
  readonly servers?: number
  readonly leases?: boolean
  readonly options?: Partial<RaftHostOptions>
  /** Default true: then {@link HostCluster.expectRules} may be asked. */
  readonly traced?: boolean
}

interface Running {
  readonly host: RaftHost
  readonly nodes: Map<number, RaftNode<Appender>>
}

const LIMIT_MS = 60_000

export class HostCluster {
  readonly world: World
  readonly ids: readonly string[]
  readonly groups: readonly number[]
  readonly trace: TraceEvent[] = []
  readonly #options: HostClusterOptions
  readonly #running = new Map<string, Running>()

  /** Starts all processes and all groups. */
  static async start(options: HostClusterOptions): Promise<HostCluster> {
    const cluster = new HostCluster(options)
    await cluster.settle(Promise.all(cluster.ids.map((id) => cluster.#boot(id))))
    return cluster
  }

  private constructor(options: HostClusterOptions) {
    const { seed = 1, servers = 3, traced = true } = options
    this.#options = options
    this.groups = options.groups
    this.ids = Array.from({ length: servers }, (_, i) => `n${i + 1}`)
    this.world = new World(traced ? { seed, onEvent: (event) => this.trace.push(event) } : { seed })
    for (const id of this.ids) this.world.add(id)
  }

  get members(): Record<string, string> {
    return Object.fromEntries(this.ids.map((id) => [id, `memory://${id}`]))
  }

  get now(): Milliseconds {
    return this.world.now
  }

  /** Messages sent so far, of any kind. */
  get sent(): number {
    return this.world.network.counters().sent
  }

  isUp(id: string): boolean {
    return this.#running.has(id)
  }

  host(id: string): RaftHost {
    return this.#process(id).host
  }

  node(id: string, group: number): RaftNode<Appender> {
    const node = this.#process(id).nodes.get(group)
    assert(node !== undefined, `group ${group} runs on ${id}`)
    return node
  }

  /** The nodes of a group that run. */
  nodesOf(group: number): RaftNode<Appender>[] {
    return [...this.#running.values()].flatMap(({ nodes }) => nodes.get(group) ?? [])
  }

  /** Who leads the group, if all that run and are not left out agree. */
  leaderOf(group: number, without: readonly string[] = []): RaftNode<Appender> | null {
    const statuses = this.nodesOf(group)
      .filter(({ id }) => !without.includes(id))
      .map((node) => ({ node, ...node.status() }))
    const leader = statuses.find(({ role }) => role === 'leader')
    if (leader === undefined) return null
    const agreed = statuses.every((each) => each.leader === leader.id && each.term === leader.term)
    return agreed ? leader.node : null
  }

  /** Waits until every group has a leader that all agree on. */
  async led(without: readonly string[] = [], groups = this.groups): Promise<void> {
    await this.until(() => groups.every((group) => this.leaderOf(group, without) !== null))
  }

  /** Waits until every group has a leader and nothing more to say. */
  async rest(): Promise<void> {
    await this.led()
    await this.advance(2000)
  }

  /** The groups that a process leads. */
  ledBy(id: string): number[] {
    return this.groups.filter((group) => this.leaderOf(group)?.id === id)
  }

  /** As a power cut. */
  crash(id: string): void {
    this.#running.delete(id)
    this.world.trace?.({ n: id, k: 'fault', what: 'crash' })
    this.world.machine(id).crash()
  }

  async restart(id: string): Promise<void> {
    if (this.ids.includes(id)) await this.settle(this.#boot(id))
    else await this.addProcess(id)
  }

  async startGroup(id: string, group: number): Promise<RaftNode<Appender>> {
    const { host, nodes } = this.#process(id)
    const { leases } = this.#options
    const node = await host.startGroup({
      group,
      members: this.members,
      stateMachine: appender(),
      ...(leases === undefined ? {} : { leases }),
    })
    nodes.set(group, node)
    return node
  }

  /** Another process, in which no group runs yet. */
  async addProcess(id: string): Promise<void> {
    if (!this.world.machines.some((machine) => machine.id === id)) this.world.add(id)
    const host = await this.settle(RaftHost.start(this.#optionsOf(this.world.machine(id).boot())))
    this.#running.set(id, { host, nodes: new Map() })
  }

  /** The group begins in a process that it did not run in, and waits to be added. */
  async joinGroup(id: string, group: number): Promise<RaftNode<Appender>> {
    const { host, nodes } = this.#process(id)
    const join = Object.values(this.members)
    const node = await this.settle(host.startGroup({ group, join, stateMachine: appender() }))
    nodes.set(group, node)
    return node
  }

  /** The group stops in this process alone. */
  async stopGroup(id: string, group: number): Promise<void> {
    const { nodes } = this.#process(id)
    const node = this.node(id, group)
    nodes.delete(group)
    await this.settle(node.close())
  }

  async client(group: number): Promise<RaftClient<string, number, 'length' | 'all'>> {
    const { clock, network } = this.world
    const transport = memory(network, { name: 'client' })
    const servers = this.ids.map((id) => `memory://${id}`)
    const random = this.world.random(`client ${group}`)
    return this.settle(RaftClient.connect({ group, servers, transport, clock, random }))
  }

  /** Per second of virtual time. */
  async messagesPerSecond(millis: Milliseconds): Promise<number> {
    const before = this.sent
    await this.advance(millis)
    return ((this.sent - before) * 1000) / millis
  }

  settle<T>(work: Promise<T>): Promise<T> {
    return this.world.settle(work, LIMIT_MS)
  }

  until(condition: () => boolean, limitMs: Milliseconds = LIMIT_MS): Promise<void> {
    return this.world.run(condition, limitMs)
  }

  async advance(millis: Milliseconds): Promise<void> {
    await this.world.clock.advance(millis)
  }

  async close(): Promise<void> {
    for (const machine of this.world.machines) machine.resume()
    this.world.network.heal()
    await this.settle(Promise.all([...this.#running.values()].map(({ host }) => host.close())))
  }

  /** Holds what each group told to every rule of the paper. */
  expectRules(): void {
    assert(this.trace.length > 0, 'the cluster is traced')
    for (const group of this.groups) {
      const checker = new TraceChecker()
      const own = this.trace.filter((event) => event.k === 'fault' || (event.g ?? 0) === group)
      expect(own.flatMap((event) => checker.feed(event)).map(formatViolation)).toEqual([])
    }
  }

  async #boot(id: string): Promise<void> {
    const process = this.world.machine(id).boot()
    const host = await RaftHost.start(this.#optionsOf(process))
    this.#running.set(id, { host, nodes: new Map() })
    await Promise.all(this.groups.map((group) => this.startGroup(id, group)))
  }

  #optionsOf({ id, clock, random, disk, transport, trace }: SimProcess): RaftHostOptions {
    return {
      listen: `memory://${id}`,
      transport,
      clock,
      random,
      ...(trace === undefined ? {} : { trace }),
      ...this.#options.options,
      id,
      storage: fileHostStorage('data', { disk, random, segmentBytes: 256 * 1024 }),
    }
  }

  #process(id: string): Running {
    const process = this.#running.get(id)
    assert(process !== undefined, `${id} runs`)
    return process
  }
}

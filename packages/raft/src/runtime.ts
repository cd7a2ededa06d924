/** Everything that one running server is made of, put together and taken apart again. `RaftNode` is its public face. */
import {
  jsonCodec,
  serve,
  type Address,
  type LocalIdentity,
  type PeerInfo,
  type RpcError,
  type Server,
} from '@lab/rpc'
import { bootstrapMembership, difference } from './bootstrap.ts'
import { Deadlines } from './calls/deadlines.ts'
import { Proposer } from './calls/proposer.ts'
import { membersOf } from './core/membership.ts'
import { Raft } from './core/raft.ts'
import { Diagnostics } from './diagnostics.ts'
import { Driver } from './driver/driver.ts'
import { Handshakes } from './driver/handshake.ts'
import { Peers } from './driver/peers.ts'
import { RaftTrace } from './driver/trace-events.ts'
import { RaftError } from './errors.ts'
import { Events } from './events.ts'
import { clientImplementation, peerImplementation } from './implementations.ts'
import type { NodeEvents } from './node-events.ts'
import { NodeRoute } from './node-route.ts'
import type { RaftNodeOptions, Settings } from './options.ts'
import { ReadBarrier } from './read-barrier.ts'
import { linkOptions, serveOptions } from './rpc-options.ts'
import { ReplicatedMachine } from './rsm/replicated-machine.ts'
import type { ServerStatus } from './services.ts'
import { Standing } from './standing.ts'
import type { Recovered } from './storage.ts'
import type { Membership, NodeId } from './types.ts'

/** A leader that has not answered for so long is asked again, or another is. */
const ATTEMPT_TIMEOUT_MS = 2000

export class Runtime {
  readonly settings: Settings
  readonly events: Events<NodeEvents>
  readonly deadlines: Deadlines
  readonly driver: Driver
  readonly standing: Standing
  readonly barrier: ReadBarrier
  readonly proposer: Proposer
  readonly diagnostics: Diagnostics
  /** What people should know about this start. */
  readonly notes: readonly string[]
  readonly #options: RaftNodeOptions
  readonly #machine: ReplicatedMachine
  readonly #handshakes: Handshakes
  readonly #peers: Peers
  readonly #route: NodeRoute
  readonly #trace: RaftTrace | null
  /** How the options differ from the log, until somebody has been told. */
  #difference: string | null
  #server: Server | null = null
  #closing: Promise<void> | null = null

  /** Opens what `options` name and begins. @throws what cannot be opened or listened at; nothing is left open then */
  static async start(options: RaftNodeOptions, settings: Settings): Promise<Runtime> {
    const { clusterId, id } = settings
    const recovered = await options.storage.open({ clusterId, nodeId: id })
    try {
      const runtime = new Runtime(options, settings, recovered)
      await runtime.#begin(recovered)
      return runtime
    } catch (thrown) {
      await options.storage.close()
      throw thrown
    }
  }

  private constructor(options: RaftNodeOptions, settings: Settings, recovered: Recovered) {
    const { id, clock, random, members } = settings
    const { storage, trace, logger } = options
    this.settings = settings
    this.diagnostics = new Diagnostics(id)
    this.#options = options
    this.#trace = trace === undefined ? null : new RaftTrace(trace, id)
    this.events = new Events((error) => logger?.error(`a listener threw: ${String(error)}`))
    this.deadlines = new Deadlines(clock)
    this.#machine = machineOf(options)
    const core = coreOf(settings, recovered)
    const { membership, currentTerm } = core.status()
    this.#difference = difference(members, membership, settings.leases)
    this.notes = [...recovered.notes, ...(this.#difference === null ? [] : [this.#difference])]
    this.standing = new Standing({
      membership,
      term: currentTerm,
      events: this.events,
      onLeader: () => this.#route.leaderChanged(),
      onMembership: (next) => this.#updatePeers(next),
    })
    this.driver = new Driver({
      core,
      clock,
      storage,
      machine: this.#machine,
      limits: {
        ...settings.limits,
        snapshotEveryBytes: settings.snapshotEveryBytes,
        stallMs: settings.timing.heartbeatMs / 2,
      },
      trace: this.#trace,
      send: (envelopes) => this.#peers.send(envelopes),
      sendingSnapshot: (to) => this.#peers.sendingSnapshot(to),
      observer: {
        changed: (change) => {
          if (change.type === 'role') this.diagnostics.role(change)
          this.standing.changed(change)
        },
        applied: (entry) => this.standing.applied(entry),
        stalled: (lateMs) => {
          this.diagnostics.stall(lateMs)
          this.events.emit('stall', { lateMs })
        },
        tookSnapshot: (meta, bytes, ms) => this.diagnostics.snapshot(meta.index, bytes, ms),
        failed: (error) => this.#failed(error),
      },
    })
    this.#handshakes = new Handshakes({
      self: id,
      clusterId: settings.clusterId,
      storage,
      known: recovered.peers,
      isMember: (other) => other in members || membersOf(this.standing.membership).includes(other),
    })
    this.#peers = new Peers({
      self: id,
      link: linkOptions(this.#traced, settings, this.#identity(recovered)),
      trace: this.#trace,
      counters: this.driver.counters,
      onDown: (peer) => this.driver.input({ type: 'unreachable', peer }),
      onError: (peer, error) => this.#peerError(peer, error),
    })
    const leader = (): ReturnType<Standing['leader']> => this.standing.leader()
    const shared = {
      clock,
      deadlines: this.deadlines,
      self: id,
      driver: this.driver,
      peers: this.#peers,
      leader,
    }
    this.#route = new NodeRoute({ ...shared, rule: this.#rule })
    this.barrier = new ReadBarrier({
      ...shared,
      random,
      route: this.#route,
      attemptTimeout: ATTEMPT_TIMEOUT_MS,
    })
    this.proposer = new Proposer({
      route: this.#route,
      clock,
      random,
      deadlines: this.deadlines,
      timeout: settings.timeout,
      attemptTimeout: ATTEMPT_TIMEOUT_MS,
      waitingBytesMax: settings.limits.proposalBytesMax,
    })
  }

  /** What listens for peers and clients, and for the app's own services. */
  get server(): Server {
    if (this.#server === null) throw new RaftError('CLOSED', 'this node does not listen yet')
    return this.#server
  }

  status(): ServerStatus {
    const { id, role, currentTerm, leader, commitIndex, lastIndex, snapshotIndex, membership, followers } =
      this.driver.status
    return {
      id,
      clusterId: this.settings.clusterId,
      role,
      term: currentTerm,
      leader,
      commitIndex,
      appliedIndex: this.driver.lastApplied,
      lastIndex,
      snapshotIndex,
      voters: membership.voters,
      addresses: membership.addresses,
      matchIndexes: Object.fromEntries(
        Object.entries(followers).map(([peer, { matchIndex }]) => [peer, matchIndex]),
      ),
      sessions: this.#machine.sessions,
    }
  }

  /** Stops; what waits fails with `CLOSED`. Resolves when ports, files and timers are given back. Idempotent. */
  close(): Promise<void> {
    this.#closing ??= this.#close('closed')
    return this.#closing
  }

  async #begin(recovered: Recovered): Promise<void> {
    const { settings, driver } = this
    const own = {
      clock: settings.clock,
      driver,
      barrier: this.barrier,
      machine: this.#machine,
      rule: this.#rule,
    }
    const implementationOptions = {
      ...own,
      commandBytesMax: settings.limits.commandBytesMax,
      leader: () => this.standing.leader(),
      status: () => this.status(),
    }
    this.#server = await serve(
      serveOptions(this.#traced, settings, this.#identity(recovered), (peer) => this.#handshake(peer)),
      [
        peerImplementation(implementationOptions),
        clientImplementation(implementationOptions),
        ...(this.#options.services ?? []),
      ],
    )
    try {
      this.#trace?.start(driver.status, recovered.terms, this.notes)
      for (const note of this.notes) this.#options.logger?.warn(note)
      this.#updatePeers(this.standing.membership)
      await driver.start()
    } catch (thrown) {
      await this.close()
      throw thrown
    }
  }

  /** Tells, to the first who listens, how the options differ from the log: nobody could listen when it was found. */
  announceDifference(): void {
    const { membership } = this.standing
    const difference = this.#difference
    if (difference === null) return
    this.#difference = null
    queueMicrotask(() => this.events.emit('membership', { membership, index: 0, difference }))
  }

  /** The options with the trace that RPC is to write to. */
  get #traced(): RaftNodeOptions {
    return this.#trace === null ? this.#options : { ...this.#options, trace: this.#trace.sink }
  }

  async #close(why: string): Promise<void> {
    this.#trace?.stop(why)
    this.proposer.close()
    const tasks = this.standing.stopTasks()
    const stopped = this.driver.stop(() => new RaftError('CLOSED', `node ${this.settings.id} was closed`))
    this.#route.leaderChanged()
    this.#peers.close()
    await this.#server?.close({ drainMs: 100 })
    await stopped
    await this.#options.storage.close()
    this.deadlines.close()
    await tasks
  }

  async #handshake(peer: PeerInfo): Promise<void> {
    await this.#handshakes.judge(peer)
    if (peer.role === 'peer') this.#peers.reachable(peer.nodeId)
  }

  #failed(error: RaftError): void {
    this.#options.logger?.error(error.message)
    this.#closing ??= this.#close(error.message)
    this.#closing.catch((thrown: unknown) => this.#options.logger?.error(String(thrown)))
    this.events.emit('fatal', { error })
  }

  #peerError(peer: NodeId, { code, remoteCode, message }: RpcError): void {
    if (code === 'REFUSED' && remoteCode === 'WIPED') this.driver.fail(new RaftError('WIPED', message))
    else if (code === 'REFUSED' || code === 'UNAUTHORISED')
      this.#options.logger?.warn(`${peer} refuses this server: ${message}`)
  }

  #updatePeers({ addresses }: Membership): void {
    const schemes = new Set(this.settings.transports.flatMap((transport) => transport.schemes))
    const reachable = (list: readonly Address[]): Address[] =>
      list.filter((address) => schemes.has(address.split('://')[0] ?? ''))
    this.#peers.update(new Map(Object.entries(addresses).map(([id, list]) => [id, reachable(list)])))
  }

  #identity({ identity }: Recovered): LocalIdentity {
    return { ...identity, role: 'peer' }
  }

  get #rule(): { readonly sessionsMax: number; readonly idleMsMax: number } {
    const { sessionsMax, sessionIdleMs } = this.settings.limits
    return { sessionsMax, idleMsMax: sessionIdleMs }
  }
}

function machineOf(options: RaftNodeOptions): ReplicatedMachine {
  const { stateMachine, codec, resultCodec, queryCodec, answerCodec } = options
  return new ReplicatedMachine({
    machine: stateMachine ?? null,
    codec: codec ?? jsonCodec(),
    resultCodec: resultCodec ?? jsonCodec(),
    queryCodec: queryCodec ?? jsonCodec(),
    answerCodec: answerCodec ?? jsonCodec(),
  })
}

function coreOf(
  { id, random, clock, timing, coreLimits, members, leases }: Settings,
  recovered: Recovered,
): Raft {
  const { hardState, snapshot, firstIndex, lastIndex, terms, configurations, lastTime } = recovered
  return new Raft({
    id,
    random: () => random.next(),
    hardState,
    snapshot,
    firstIndex,
    lastIndex,
    terms,
    configurations,
    lastTime,
    bootstrap: bootstrapMembership(members, leases),
    now: clock.now(),
    timing,
    limits: coreLimits,
  })
}

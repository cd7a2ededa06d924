/**
 * The labs' cluster: servers under test on the labs' network, and what a test may do to them. Servers are numbered from
 * 0. Checks stand in lab-checks.ts.
 *
 *     client ─ start ─▶ LabRaft ─ peers[j].call ─▶ end n1>n2 ─ LabNetwork ─▶ handlers of the other
 *                          └ apply ─▶ LabService ─▶ LabSafety
 *
 * A life of a server gets its own ends and its own copy of the disk: what a killed instance still does reaches nobody.
 */
import {
  seededRandom,
  sleep,
  toError,
  type Clock,
  type Milliseconds,
  type Random,
  type TraceSink,
} from '@lab/rpc'
import { LabNetwork } from '@lab/rpc/testing'
import {
  NotLeader,
  type LabApplied,
  type LabCommand,
  type LabDescribe,
  type LabMake,
  type LabRaft,
  type Started,
} from './lab-interface.ts'
import { LabSafety, nameOf, type LabState } from './lab-safety.ts'
import { LabServers, type LabLife } from './lab-servers.ts'
import { LabService } from './lab-service.ts'
import { describeLabJson } from './lab-trace.ts'

export interface LabClusterOptions {
  readonly make: LabMake
  readonly describe?: LabDescribe | undefined
  readonly servers: number
  readonly seed: number
  readonly clock: Clock
  readonly trace?: TraceSink | undefined
  /** Off: the labs' unreliable network. */
  readonly reliable: boolean
  /** Whether the service makes snapshots. */
  readonly snapshots: boolean
}

export class LabCluster {
  readonly clock: Clock
  /** The scenario's own; servers and network draw from others. */
  readonly random: Random
  readonly network: LabNetwork
  readonly safety: LabSafety
  /** Rejects as soon as a rule is broken anywhere; never resolves. */
  readonly broken: Promise<never>
  readonly #servers: LabServers<LabRaft>
  readonly #snapshots: boolean
  readonly #make: LabMake
  readonly #trace: TraceSink | undefined
  readonly #connected = new Set<number>()
  /** Their state will be looked at when the present turn is over. */
  readonly #looksDue = new Set<number>()
  /** What was seen of each last, for the trace. */
  readonly #seen = new Map<number, LabState>()
  #reject: (error: Error) => void = () => undefined
  #calls = 0

  constructor(options: LabClusterOptions) {
    this.#trace = options.trace
    this.#make = options.make
    this.#snapshots = options.snapshots
    this.clock = options.clock
    this.random = seededRandom(options.seed)
    this.network = new LabNetwork({
      clock: this.clock,
      random: seededRandom(this.random.integer(0, 2 ** 32 - 1)),
      ...(options.trace === undefined ? {} : { trace: options.trace }),
      describe: options.describe ?? describeLabJson,
    })
    // A server that waits for one call before it makes the next shall not pass (the labs' choice for all Raft tests).
    this.network.longDelays = true
    this.network.reliable = options.reliable
    this.safety = new LabSafety(options.servers)
    this.broken = new Promise((_, reject) => {
      this.#reject = reject
    })
    this.broken.catch(() => undefined)
    this.#servers = new LabServers({
      network: this.network,
      clock: this.clock,
      random: this.random,
      trace: this.#trace,
      names: Array.from({ length: options.servers }, (_, server) => nameOf(server)),
      make: (life) => this.#makeRaft(life),
      describe: (raft) => ({ term: raft.getState().term }),
      onActive: (server) => {
        this.#look(server)
      },
      onError: (error) => {
        this.#reject(error)
      },
    })
    for (const server of this.servers) this.restart(server)
    for (const server of this.servers) this.connect(server)
  }

  /** All numbers of servers. */
  get servers(): readonly number[] {
    return this.#servers.all
  }

  /** The server `offset` places after `server`, round and round. */
  after(server: number, offset: number): number {
    return (server + offset) % this.servers.length
  }

  isUp(server: number): boolean {
    return this.#servers.instance(server) !== null
  }

  isConnected(server: number): boolean {
    return this.#connected.has(server)
  }

  /** What the server says about itself; null when it is down. */
  state(server: number): LabState | null {
    const raft = this.#servers.instance(server)
    if (raft === null) return null
    const state = raft.getState()
    this.safety.saw(server, state)
    return state
  }

  /** Bytes of a server's persisted state, without the snapshot. */
  stateSize(server: number): number {
    return this.#servers.persister(server).stateSize()
  }

  /** Calls that reached this life of the server. */
  callsTo(server: number): number {
    return this.network.count(nameOf(server))
  }

  /** Offers a command to one server, connected or not. */
  start(server: number, command: LabCommand): Started | NotLeader {
    const raft = this.#servers.instance(server)
    if (raft === null) return NotLeader
    this.safety.willStart(command)
    const answer = raft.start(command)
    this.#look(server)
    if (answer !== NotLeader) {
      const { index, term } = answer
      const id = ++this.#calls
      this.#trace?.({ n: nameOf(server), k: 'call', client: 'lab', id, op: 'start', command, index, term })
    }
    return answer
  }

  sleep(duration: Milliseconds): Promise<void> {
    return sleep(this.clock, duration)
  }

  /** Cuts all ways from and to the server. It does not notice. */
  disconnect(server: number): void {
    this.#connected.delete(server)
    this.#fault('disconnect', server)
    for (const peer of this.servers) this.#servers.link(server, peer, false)
  }

  /** Opens the ways between the server and every other that is connected, both directions. */
  connect(server: number): void {
    this.#connected.add(server)
    this.#fault('connect', server)
    for (const peer of this.#connected) this.#servers.link(server, peer, true)
  }

  /** Kills the instance. What it saved stays. */
  crash(server: number): void {
    this.disconnect(server)
    this.#servers.crash(server)
  }

  /** Starts a new instance from what was saved, after a crash if need be. It is not connected yet. */
  restart(server: number): void {
    if (this.isUp(server)) this.crash(server)
    this.#servers.start(server)
    this.#look(server)
  }

  /** Ends every instance. */
  stop(): void {
    this.network.cleanup()
    this.#servers.stop()
  }

  #makeRaft(life: LabLife): LabRaft {
    const { server, peers, persister, env } = life
    const service = new LabService({
      safety: this.safety,
      server,
      snapshots: this.#snapshots,
      raft: () => (life.isOver() ? null : this.#servers.instance(server)),
      onError: this.#reject,
    })
    this.#guard(() => {
      service.recover(persister.readSnapshot())
    })
    return this.#make(peers, server, persister, this.#applier(life, service), env)
  }

  #applier(life: LabLife, service: LabService): (applied: LabApplied) => void {
    return (applied) => {
      if (life.isOver()) return
      this.#trace?.({
        n: nameOf(life.server),
        k: applied.type === 'command' ? 'apply' : 'snapshot',
        index: applied.index,
        ...(applied.type === 'command'
          ? { command: applied.command }
          : { bytes: applied.snapshot.length, installed: true }),
      })
      this.#guard(() => {
        service.apply(applied)
      })
    }
  }

  /** Looks at the server's term and role once its present work is done, so as not to see it in the middle of a step. */
  #look(server: number): void {
    if (this.#looksDue.has(server)) return
    this.#looksDue.add(server)
    void Promise.resolve().then(() => {
      this.#looksDue.delete(server)
      this.#guard(() => {
        const seen = this.#seen.get(server)
        const state = this.state(server)
        if (state === null) return
        const { term, isLeader } = state
        if (term === (seen?.term ?? 0) && isLeader === (seen?.isLeader ?? false)) return
        this.#seen.set(server, { term, isLeader })
        this.#trace?.({ n: nameOf(server), k: 'role', role: isLeader ? 'leader' : 'follower', term })
      })
    })
  }

  #fault(what: string, server: number): void {
    this.#trace?.({ n: nameOf(server), k: 'fault', what })
  }

  /** Runs a check where its failure must not fly into the code under test. */
  #guard(check: () => void): void {
    try {
      check()
    } catch (thrown) {
      this.#reject(toError(thrown))
    }
  }
}

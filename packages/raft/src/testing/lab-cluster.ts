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
import { LabNetwork, LabServer, type LabHandler, type LabValue } from '@lab/rpc/testing'
import { LabFailure } from './lab-failure.ts'
import {
  NotLeader,
  type LabApplied,
  type LabCommand,
  type LabDescribe,
  type LabMake,
  type LabPeer,
  type LabRaft,
  type Started,
} from './lab-interface.ts'
import { newHost, type Host } from './lab-host.ts'
import { LabSafety, nameOf, type LabState } from './lab-safety.ts'
import { LabService } from './lab-service.ts'

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
  readonly #hosts: Host[]
  readonly #options: LabClusterOptions
  readonly #trace: TraceSink | undefined
  #reject: (error: Error) => void = () => undefined
  #calls = 0

  constructor(options: LabClusterOptions) {
    this.#options = options
    this.#trace = options.trace
    this.clock = options.clock
    this.random = seededRandom(options.seed)
    this.network = new LabNetwork({
      clock: this.clock,
      random: this.#splitRandom(),
      ...(options.trace === undefined ? {} : { trace: options.trace }),
      describe: options.describe ?? describeJson,
    })
    // A server that waits for one call before it makes the next shall not pass (the labs' choice for all Raft tests).
    this.network.longDelays = true
    this.network.reliable = options.reliable
    this.safety = new LabSafety(options.servers)
    this.broken = new Promise((_, reject) => {
      this.#reject = reject
    })
    this.broken.catch(() => undefined)
    this.#hosts = Array.from({ length: options.servers }, (_, server) => newHost(nameOf(server)))
    for (const server of this.servers) this.restart(server)
    for (const server of this.servers) this.connect(server)
  }

  /** All numbers of servers. */
  get servers(): readonly number[] {
    return this.#hosts.map((_, server) => server)
  }

  /** The server `offset` places after `server`, round and round. */
  after(server: number, offset: number): number {
    return (server + offset) % this.#hosts.length
  }

  isUp(server: number): boolean {
    return this.#host(server).raft !== null
  }

  isConnected(server: number): boolean {
    return this.#host(server).connected
  }

  /** What the server says about itself; null when it is down. */
  state(server: number): LabState | null {
    const { raft } = this.#host(server)
    if (raft === null) return null
    const state = raft.getState()
    this.safety.saw(server, state)
    return state
  }

  /** Bytes of a server's persisted state, without the snapshot. */
  stateSize(server: number): number {
    return this.#host(server).persister.stateSize()
  }

  /** Calls that reached this life of the server. */
  callsTo(server: number): number {
    return this.network.count(nameOf(server))
  }

  /** Offers a command to one server, connected or not. */
  start(server: number, command: LabCommand): Started | NotLeader {
    const { raft, name } = this.#host(server)
    if (raft === null) return NotLeader
    this.safety.willStart(command)
    const answer = raft.start(command)
    this.#look(server)
    if (answer !== NotLeader) {
      const { index, term } = answer
      this.#trace?.({
        n: name,
        k: 'call',
        client: 'lab',
        id: ++this.#calls,
        op: 'start',
        command,
        index,
        term,
      })
    }
    return answer
  }

  sleep(duration: Milliseconds): Promise<void> {
    return sleep(this.clock, duration)
  }

  /** Cuts all ways from and to the server. It does not notice. */
  disconnect(server: number): void {
    const host = this.#host(server)
    host.connected = false
    this.#fault('disconnect', host)
    for (const peer of this.servers) this.#setLink(server, peer, false)
  }

  /** Opens the ways between the server and every other that is connected, both directions. */
  connect(server: number): void {
    const host = this.#host(server)
    host.connected = true
    this.#fault('connect', host)
    for (const peer of this.servers) if (this.isConnected(peer)) this.#setLink(server, peer, true)
  }

  /** Kills the instance. What it saved stays. */
  crash(server: number): void {
    const host = this.#host(server)
    this.disconnect(server)
    this.network.deleteServer(host.name)
    host.life++
    host.persister = host.persister.copy()
    host.raft?.kill()
    host.raft = null
    host.service = null
    this.#trace?.({ n: host.name, k: 'stop', why: 'crash' })
  }

  /** Starts a new instance from what was saved, after a crash if need be. It is not connected yet. */
  restart(server: number): void {
    const host = this.#host(server)
    if (host.raft !== null) this.crash(server)
    const life = ++host.life
    const { persister } = host
    const service = new LabService({
      safety: this.safety,
      server,
      snapshots: this.#options.snapshots,
      raft: () => (host.life === life ? host.raft : null),
      onError: this.#reject,
    })
    host.service = service
    this.#guard(() => {
      service.recover(persister.readSnapshot())
    })
    const raft = this.#options.make(this.#makePeers(server), server, persister, this.#applier(host), {
      clock: this.clock,
      random: this.#splitRandom(),
      note: (topic, text) => {
        if (host.life === life) this.#trace?.({ n: host.name, k: 'note', topic, text })
      },
      fail: (thrown) => {
        this.#reject(toError(thrown))
      },
    })
    host.raft = raft
    this.#trace?.({ n: host.name, k: 'start', term: raft.getState().term, life })
    this.network.addServer(host.name, new LabServer(this.#handlersOf(server, raft)))
    this.#look(server)
  }

  /** Ends every instance. */
  stop(): void {
    this.network.cleanup()
    for (const host of this.#hosts) {
      host.life++
      host.raft?.kill()
      host.raft = null
    }
  }

  #applier(host: Host): (applied: LabApplied) => void {
    const { life, service } = host
    return (applied) => {
      if (host.life !== life || service === null) return
      this.#trace?.({
        n: host.name,
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

  #makePeers(server: number): LabPeer[] {
    const host = this.#host(server)
    const ends = this.servers.map((peer) => {
      const end = this.network.makeEnd(`${host.name}.${String(host.life)}>${nameOf(peer)}`, {
        owner: host.name,
      })
      this.network.connect(end.name, nameOf(peer))
      return end
    })
    host.ends = ends.map((end) => end.name)
    return ends.map((end) => ({
      call: (method, args) => {
        this.#look(server)
        return end.call(method, args as LabValue)
      },
    }))
  }

  #handlersOf(server: number, raft: LabRaft): Record<string, LabHandler> {
    const wrap =
      (method: string): LabHandler =>
      async (args) => {
        try {
          // The interface lets each handler name the type of its own arguments.
          return ((await raft.handlers[method]?.(args as never)) ?? null) as LabValue
        } catch (thrown) {
          const seen = `${nameOf(server)}'s handler of ${method} threw ${String(thrown)}`
          this.#reject(
            thrown instanceof LabFailure ? thrown : new LabFailure('handlersReturn', seen, { cause: thrown }),
          )
          return null
        } finally {
          this.#look(server)
        }
      }
    return Object.fromEntries(Object.keys(raft.handlers).map((method) => [method, wrap(method)]))
  }

  /** Looks at the server's term and role once its present work is done, so as not to see it in the middle of a step. */
  #look(server: number): void {
    const host = this.#host(server)
    if (host.lookDue) return
    host.lookDue = true
    void Promise.resolve().then(() => {
      host.lookDue = false
      this.#guard(() => {
        const { seen } = host
        const state = this.state(server)
        if (state === null || (state.term === seen.term && state.isLeader === seen.isLeader)) return
        host.seen = { term: state.term, isLeader: state.isLeader }
        this.#trace?.({
          n: host.name,
          k: 'role',
          role: state.isLeader ? 'leader' : 'follower',
          term: state.term,
        })
      })
    })
  }

  #setLink(server: number, peer: number, enabled: boolean): void {
    for (const end of [this.#host(server).ends[peer], this.#host(peer).ends[server]])
      if (end !== undefined) this.network.enable(end, enabled)
  }

  #fault(what: string, host: Host): void {
    this.#trace?.({ n: host.name, k: 'fault', what })
  }

  /** Runs a check where its failure must not fly into the code under test. */
  #guard(check: () => void): void {
    try {
      check()
    } catch (thrown) {
      this.#reject(toError(thrown))
    }
  }

  #splitRandom(): Random {
    return seededRandom(this.random.integer(0, 2 ** 32 - 1))
  }

  #host(server: number): Host {
    const host = this.#hosts[server]
    if (host === undefined) throw new RangeError(`there is no server ${String(server)}`)
    return host
  }
}

/** A JSON object says itself; bytes need somebody who can read them. */
function describeJson(_method: string, value: unknown): Readonly<Record<string, unknown>> {
  const isObject = typeof value === 'object' && value !== null && !(value instanceof Uint8Array)
  return isObject ? { ...value } : {}
}

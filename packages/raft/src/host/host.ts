/**
 * One process of a cluster: its server, its links, its storage, and the groups that share them. `RaftNode` is a host with
 * group 0 alone, `RaftHost` one with many.
 *
 *     messages ─▶ server ─▶ group 0, 1, 2 … ─▶ links, one to each other process
 *                               └─▶ storage: one log, one sync
 */
import {
  serve,
  type Address,
  type Implementation,
  type LinkOptions,
  type PeerInfo,
  type RpcError,
  type Server,
} from '@lab/rpc'
import { stoppedBy } from '../driver/driver-errors.ts'
import { FirstMet } from '../driver/first-met.ts'
import { Handshakes } from '../driver/handshake.ts'
import { Peers } from '../driver/peers.ts'
import { RaftTrace } from '../driver/trace-events.ts'
import { RaftError } from '../errors.ts'
import { adminImplementation, clientImplementation, peerImplementation } from '../implementations.ts'
import { linkOptions, serveOptions, type RpcSettings, type SharedOptions } from '../rpc-options.ts'
import type { Runtime } from '../runtime.ts'
import type { Identity, StorageError } from '../storage.ts'
import type { NodeId, Role, Term } from '../types.ts'
import { Beats } from './beats.ts'
import { Campaigns } from './campaigns.ts'
import { Heartbeat } from './heartbeat.ts'
import type { StoredGroups } from './stored-groups.ts'

/** Between one group and the next that campaign since their leaders' process fell silent. */
const STAGGER_MS = 1

/** Of a group's server. */
interface Standing {
  readonly role: Role
  readonly term: Term
  readonly leader: NodeId | null
}

export interface HostParts {
  readonly options: SharedOptions
  readonly settings: RpcSettings
  readonly stored: StoredGroups
  /** Whether processes beat for all their groups; without, each group sends heartbeats of its own. */
  readonly beats: boolean
}

export class Host {
  readonly settings: RpcSettings
  readonly stored: StoredGroups
  readonly peers: Peers
  /** Null when nobody traces. */
  readonly trace: RaftTrace | null
  /** What people should know about this start. */
  readonly notes: readonly string[]
  readonly #options: SharedOptions
  /** Which incarnations of peers were met first. */
  readonly firstMet: FirstMet
  /** How this process dials others. */
  readonly link: LinkOptions
  readonly #identity: Identity
  readonly #handshakes: Handshakes
  readonly #groups = new Map<number, Runtime>()
  /** Null where each group sends heartbeats of its own. */
  readonly #beats: Beats | null
  readonly #heartbeat: Heartbeat | null
  readonly #campaigns: Campaigns | null
  #server: Server | null = null
  /** Why nothing can be promised any more; null while the storage is sound. */
  #failure: StorageError | null = null
  #closing: Promise<void> | null = null

  /** Opens the storage. @throws {StorageError} */
  static async open(parts: HostParts): Promise<Host> {
    const { clusterId, id } = parts.settings
    let host: Host | null = null
    const early: StorageError[] = []
    const found = await parts.stored.open({ clusterId, nodeId: id }, (error) => {
      if (host === null) early.push(error)
      else host.#storageFailed(error)
    })
    host = new Host(parts, found)
    for (const error of early) host.#storageFailed(error)
    return host
  }

  private constructor(
    { options, settings, stored, beats }: HostParts,
    found: {
      readonly identity: Identity
      readonly peers: ReadonlyMap<NodeId, string>
      readonly notes: readonly string[]
    },
  ) {
    this.settings = settings
    this.stored = stored
    this.notes = found.notes
    this.#options = options
    this.#identity = found.identity
    this.trace = options.trace === undefined ? null : new RaftTrace(options.trace, settings.id)
    this.firstMet = new FirstMet(stored, found.peers)
    this.#handshakes = new Handshakes({
      self: settings.id,
      clusterId: settings.clusterId,
      groups: () => [...this.#groups.values()].map((group) => group.acquaintances),
    })
    this.link = linkOptions(this.#traced, settings, { ...this.#identity, role: 'peer' })
    this.peers = new Peers({
      self: settings.id,
      link: this.link,
      // Where it listens is said only when it does so everywhere, though peers may reach its first address earlier: see listen.
      greeting: (group) => (this.#server === null ? null : (this.#groups.get(group)?.greeting() ?? null)),
      onUnwelcome: (peer, why) => options.logger?.warn(`${peer} refuses this server: ${why}`),
      lingerMs: 4 * settings.timing.electionTimeoutMsMax,
      onDown: (peer, broke) => {
        if (broke) this.#beats?.lost(peer)
        for (const { driver, precedence } of this.#groups.values()) {
          precedence.lost(peer)
          driver.input({ type: 'unreachable', peer, broke })
        }
      },
      onError: (peer, error) => this.#peerError(peer, error),
    })
    this.#beats = beats ? this.#makeBeats() : null
    this.#heartbeat = this.#beats === null ? null : this.#makeHeartbeat(this.#beats)
    this.#campaigns = beats ? this.#makeCampaigns() : null
  }

  /** Do processes beat for all their groups? */
  get beats(): boolean {
    return this.#beats !== null
  }

  /** What listens for peers and clients, and for the app's own services. */
  get server(): Server {
    if (this.#server === null) throw new RaftError('CLOSED', 'this node does not listen yet')
    return this.#server
  }

  get groups(): ReadonlyMap<number, Runtime> {
    return this.#groups
  }

  /** Begins to listen; groups may come before or after. @throws {RpcError} `ADDRESS_IN_USE`, `BAD_ADDRESS` */
  async listen(services: readonly Implementation[]): Promise<void> {
    const answers = (group: number): ReturnType<Runtime['answers']> | null =>
      this.#groups.get(group)?.answers() ?? null
    this.#server = await serve(
      serveOptions(this.#traced, this.settings, { ...this.#identity, role: 'peer' }, (peer) =>
        this.#handshake(peer),
      ),
      [
        peerImplementation(answers, (peer, beat) => this.#heartbeat?.heard(peer, beat)),
        clientImplementation(answers),
        adminImplementation(answers),
        ...services,
      ],
    )
    for (const group of this.#groups.keys()) this.peers.greetAll(group)
    this.#heartbeat?.start()
  }

  /** @throws {RaftError} `CLOSED`, `STORAGE_FAILED` */
  checkOpen(): void {
    if (this.#failure !== null) throw stoppedBy(this.#failure)
    if (this.#closing !== null) throw new RaftError('CLOSED', `the host ${this.settings.id} was closed`)
  }

  /** From here on messages for the group reach it. */
  add(group: number, runtime: Runtime): void {
    this.#groups.set(group, runtime)
    this.#beats?.started(group)
    if (this.#failure !== null) runtime.driver.fail(this.#failure)
  }

  /** The group takes part no more. Its storage is closed by whoever opened it. */
  drop(group: number): void {
    this.#groups.delete(group)
    this.#campaigns?.decided(group, true)
    this.#beats?.stopped(group)
    this.peers.update(group, new Map())
  }

  /** The deadline of a group has come. A leader acts at once; others may campaign, and not all at one moment. */
  whenDue(group: number, leads: boolean, act: () => void): void {
    if (leads || this.#campaigns === null) act()
    else this.#campaigns.enter(group, act)
  }

  /** The role of the group's server changed. */
  roleChanged(group: number, { role, term, leader }: Standing): void {
    this.#beats?.leads(group, role === 'leader' ? term : 0)
    if (role !== 'candidate') this.#campaigns?.decided(group, role === 'leader' || leader !== null)
  }

  /** The members of a group, and others to be reached for it, are here now. */
  updatePeers(group: number, addresses: ReadonlyMap<NodeId, readonly Address[]>): void {
    const schemes = new Set(this.settings.transports.flatMap((transport) => transport.schemes))
    const reachable = (list: readonly Address[]): Address[] =>
      list.filter((address) => schemes.has(address.split('://')[0] ?? ''))
    this.peers.update(group, new Map([...addresses].map(([id, list]) => [id, reachable(list)])))
  }

  /** Stops all groups; what waits fails with `CLOSED`. Resolves when ports, files and timers are given back. Idempotent. */
  close(why = 'closed'): Promise<void> {
    this.#closing ??= this.#close(why)
    return this.#closing
  }

  async #close(why: string): Promise<void> {
    const stopped = [...this.#groups.values()].map((group) => group.stop(why))
    this.#heartbeat?.stop()
    this.#campaigns?.stop()
    this.peers.close()
    await this.#server?.close({ drainMs: 100 })
    await Promise.all(stopped)
    await this.stored.close()
  }

  /** The options with the trace that RPC is to write to. */
  get #traced(): SharedOptions {
    return this.trace === null ? this.#options : { ...this.#options, trace: this.trace.sink }
  }

  #makeBeats(): Beats {
    const { random, timing } = this.settings
    return new Beats({
      life: random.integer(1, 2 ** 31),
      silentAfterMs: timing.electionTimeoutMsMin,
      staggerMsMax: timing.electionTimeoutMsMax,
      staggerMsPerGroup: STAGGER_MS,
      tell: (group, input) => this.#groups.get(group)?.driver.input(input),
    })
  }

  #makeCampaigns(): Campaigns {
    const { clock, random, timing } = this.settings
    return new Campaigns(clock, random, timing.electionTimeoutMsMax)
  }

  #makeHeartbeat(beats: Beats): Heartbeat {
    return new Heartbeat({
      beats,
      clock: this.settings.clock,
      timing: this.settings.timing,
      peers: () => this.peers.ids,
      send: (peer, beat) => this.peers.messages(peer)?.beat(beat),
    })
  }

  /** What the groups share has failed: none of them, not even one with nothing to write, goes on. */
  #storageFailed(error: StorageError): void {
    this.#failure = error
    for (const { driver } of [...this.#groups.values()]) driver.fail(error)
  }

  async #handshake(peer: PeerInfo): Promise<void> {
    await this.#handshakes.judge(peer)
    if (peer.role === 'peer') this.peers.reachable(peer.nodeId)
  }

  #peerError(peer: NodeId, { code, remoteCode, message }: RpcError): void {
    const wiped = code === 'REFUSED' && remoteCode === 'WIPED'
    // One that was added may be taken for its predecessor by a peer that has not heard of the change yet.
    const groups = wiped ? [...this.#groups.values()].filter((group) => !group.added) : []
    for (const { driver } of groups) driver.fail(new RaftError('WIPED', message))
    if (groups.length === 0 && (code === 'REFUSED' || code === 'UNAUTHORISED'))
      this.#options.logger?.warn(`${peer} refuses this server: ${message}`)
  }
}

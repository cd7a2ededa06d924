/**
 * Everything that one server of one group is made of, put together and taken apart again; what groups share stands in
 * host/host.ts. `RaftNode` is its public face.
 */
import { Admin } from './admin/admin.ts'
import { Operator } from './admin/operator.ts'
import { coreOf, difference, machineOf } from './bootstrap.ts'
import { Deadlines } from './calls/deadlines.ts'
import { Proposer } from './calls/proposer.ts'
import { membersOf } from './core/membership.ts'
import type { Raft } from './core/raft.ts'
import type { Change } from './core/ready.ts'
import { Diagnostics } from './diagnostics.ts'
import { Acquaintances } from './driver/acquaintances.ts'
import { Driver } from './driver/driver.ts'
import type { Greeting } from './driver/greeting.ts'
import { GroupPeers } from './driver/group-peers.ts'
import { Precedence, endOf } from './driver/precedence.ts'
import type { RaftTrace } from './driver/trace-events.ts'
import { RaftError } from './errors.ts'
import { Events } from './events.ts'
import type { Host } from './host/host.ts'
import type { ImplementationOptions } from './implementations.ts'
import { Joining, isAdded } from './joining.ts'
import type { NodeEvents } from './node-events.ts'
import { NodeRoute } from './node-route.ts'
import type { RaftNodeOptions, Settings } from './options.ts'
import { ReadBarrier } from './read-barrier.ts'
import type { ReplicatedMachine } from './rsm/replicated-machine.ts'
import { matchIndexesOf, type ServerStatus } from './services.ts'
import { Standing } from './standing.ts'
import type { Recovered, Storage } from './storage.ts'

/** A leader that has not answered for so long is asked again, or another is. */
const ATTEMPT_TIMEOUT_MS = 2000

/** What a group is made from. */
export interface GroupParts {
  readonly host: Host
  readonly group: number
  readonly options: Omit<RaftNodeOptions, 'storage'>
  readonly settings: Settings
  /** How it ends when it ends by itself: alone, or the whole process with it. */
  readonly end: (why: string) => Promise<void>
}

export class Runtime {
  readonly settings: Settings
  readonly events: Events<NodeEvents>
  readonly deadlines: Deadlines
  readonly driver: Driver
  readonly standing: Standing
  readonly barrier: ReadBarrier
  readonly proposer: Proposer
  readonly acquaintances: Acquaintances
  /** Who of those that start goes first. */
  readonly precedence: Precedence
  readonly admin: Admin
  readonly operator: Operator
  /** It was not there when the cluster began. */
  readonly added: boolean
  readonly diagnostics: Diagnostics
  /** What people should know about this start. */
  readonly notes: readonly string[]
  readonly #parts: GroupParts
  readonly #machine: ReplicatedMachine
  readonly #recovered: Recovered
  readonly #route: NodeRoute
  readonly #trace: RaftTrace | null
  readonly #core: Raft
  #joining: Joining | null = null
  /** A configuration in the log is not known to be committed. */
  #unsettled = true
  readonly #answers: ImplementationOptions
  /** How the options differ from the log, until somebody has been told. */
  #difference: string | null
  #stopping: Promise<void> | null = null

  /** Opens the group's storage and adds it to its host; {@link begin} has it take part. @throws {StorageError} */
  static async open(parts: GroupParts): Promise<Runtime> {
    const { host, group, settings } = parts
    const owner = { clusterId: settings.clusterId, nodeId: settings.id }
    const { storage, recovered } = await host.stored.openGroup(group, owner)
    try {
      const added = await isAdded(host.firstMet, recovered.fresh, { ...settings, group })
      const runtime = new Runtime(parts, { storage, recovered, added })
      host.add(group, runtime)
      return runtime
    } catch (thrown) {
      await host.stored.closeGroup(group)
      throw thrown
    }
  }

  private constructor(
    parts: GroupParts,
    found: { readonly storage: Storage; readonly recovered: Recovered; readonly added: boolean },
  ) {
    const { storage, recovered, added } = found
    const { host, group, options, settings } = parts
    const { id, clock, random, members } = settings
    this.settings = settings
    this.diagnostics = new Diagnostics(id)
    this.#parts = parts
    this.#recovered = recovered
    this.#trace = host.trace?.of(group) ?? null
    this.events = new Events((error) => options.logger?.error(`a listener threw: ${String(error)}`))
    this.deadlines = new Deadlines(clock)
    this.#machine = machineOf(options)
    this.added = added
    const core = coreOf({ settings, group, beats: host.beats, recovered, added })
    this.#core = core
    const { membership, currentTerm } = core.status()
    this.#difference = settings.join === null ? difference(members, membership, settings.leases) : null
    this.notes = [...recovered.notes, ...(this.#difference === null ? [] : [this.#difference])]
    this.standing = new Standing({
      membership,
      term: currentTerm,
      events: this.events,
      onLeader: () => this.#route.leaderChanged(),
      onMembership: () => this.#membershipChanged(),
    })
    this.precedence = new Precedence({
      self: id,
      amongGroups: host.beats,
      place: endOf(recovered),
      membership: () => this.standing.membership,
      leader: () => this.standing.leader()?.id ?? null,
      onChange: () => host.peers.greetAll(group),
    })
    const peers = new GroupPeers(group, host.peers, this.#trace)
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
      requestKinds: options.requestKinds,
      send: (envelopes) => {
        this.driver.counters.bytesSent += peers.send(envelopes)
      },
      precedence: this.precedence,
      sendingSnapshot: (to) => peers.sendingSnapshot(to),
      whenDue: (act) => host.whenDue(group, this.standing.role === 'leader', act),
      observer: {
        changed: (change) => {
          if (change.type === 'role') {
            this.diagnostics.role(change)
            host.roleChanged(group, change)
          }
          this.#changed(change)
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
    const leader = (): ReturnType<Standing['leader']> => this.standing.leader()
    this.acquaintances = new Acquaintances({
      self: id,
      firstMet: host.firstMet,
      configurations: () => core.configurations(),
      leader: () => leader()?.id ?? null,
      onMet: () => this.#updatePeers(),
    })
    const shared = { clock, deadlines: this.deadlines, self: id, driver: this.driver, peers, leader }
    this.#route = new NodeRoute({ ...shared, rule: this.#rule })
    this.admin = new Admin({ ...shared, link: host.link })
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
    this.operator = new Operator({
      clock,
      proposer: this.proposer,
      attempt: (method, body, attempt) => this.admin.attempt(method, body, attempt),
    })
    this.#answers = {
      clock,
      driver: this.driver,
      acquaintances: this.acquaintances,
      precedence: this.precedence,
      admin: this.admin,
      barrier: this.barrier,
      machine: this.#machine,
      rule: this.#rule,
      clusterId: settings.clusterId,
      storage,
      commandBytesMax: settings.limits.commandBytesMax,
      leader: () => this.standing.whomToAsk(id),
      status: () => this.status(),
    }
  }

  /** The process that it runs in. */
  get host(): Host {
    return this.#parts.host
  }

  /** How others are answered. */
  answers(): ImplementationOptions {
    return this.#answers
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
      votersOutgoing: membership.votersOutgoing,
      learners: membership.learners,
      membershipIndex: membership.index,
      addresses: membership.addresses,
      matchIndexes: matchIndexesOf(followers),
      sessions: this.#machine.sessions,
    }
  }

  /** Takes part from now on. @throws what the state machine throws while it restores */
  async begin(): Promise<void> {
    const { host, options, settings } = this.#parts
    this.#trace?.start(this.driver.status, this.#recovered.terms, this.notes)
    for (const note of this.notes) options.logger?.warn(note)
    this.#updatePeers()
    if (this.#waits)
      this.#joining = new Joining({ join: settings.join ?? [], link: host.link }, options.logger)
    await this.driver.start()
  }

  /** Stops at once; what waits fails with `CLOSED`. Resolves when files and timers are given back. Idempotent. */
  stop(why: string): Promise<void> {
    this.#stopping ??= this.#stop(why)
    return this.#stopping
  }

  /** Ends what this group was started as: itself, or the process if it is the only one. Idempotent. */
  close(): Promise<void> {
    return this.#parts.end('closed')
  }

  /** Tells, to the first who listens, how the options differ from the log: nobody could listen when it was found. */
  announceDifference(): void {
    const { membership } = this.standing
    const difference = this.#difference
    if (difference === null) return
    this.#difference = null
    queueMicrotask(() => this.events.emit('membership', { membership, index: 0, difference }))
  }

  async #stop(why: string): Promise<void> {
    const { host, group, settings } = this.#parts
    this.#trace?.stop(why)
    this.proposer.close()
    const tasks = this.standing.stopTasks()
    const stopped = this.driver.stop(() => new RaftError('CLOSED', `node ${settings.id} was closed`))
    this.#route.leaderChanged()
    this.#joining?.stop()
    host.drop(group)
    await stopped
    await host.stored.closeGroup(group)
    this.deadlines.close()
    await tasks
  }

  /** What this server says of itself to its peers. */
  greeting(): Greeting {
    const { membership } = this.driver.status
    const own = membership.addresses[this.settings.id] ?? []
    const addresses = [...new Set([...own, ...this.host.server.addresses])]
    return { index: membership.index, addresses, starts: this.precedence.claim }
  }

  #changed(change: Change): void {
    this.standing.changed(change)
    this.admin.observe(change)
    if (change.type === 'committed' && this.#unsettled) this.#knowMembers()
  }

  /** Another configuration is in force: others may take note of us who did not before. */
  #membershipChanged(): void {
    this.#knowMembers()
    this.host.peers.greetAll(this.#parts.group)
    if (this.#waits) return
    this.#joining?.stop()
    this.#joining = null
  }

  #knowMembers(): void {
    this.#unsettled = this.#core.configurations().length > 1
    this.acquaintances.refresh()
    this.#updatePeers()
  }

  /** Links go to members, and to strangers that know a later configuration. */
  #updatePeers(): void {
    this.host.updatePeers(this.#parts.group, this.acquaintances.addresses)
  }

  /** Does it belong to no cluster yet? */
  get #waits(): boolean {
    return this.added && membersOf(this.driver.status.membership).length === 0
  }

  #failed(error: RaftError): void {
    const { options, end } = this.#parts
    options.logger?.error(error.message)
    end(error.message).catch((thrown: unknown) => options.logger?.error(String(thrown)))
    this.events.emitForGood('fatal', { error })
  }

  get #rule(): { readonly sessionsMax: number; readonly idleMsMax: number } {
    const { sessionsMax, sessionIdleMs } = this.settings.limits
    return { sessionsMax, idleMsMax: sessionIdleMs }
  }
}

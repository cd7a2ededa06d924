/**
 * One server of a Raft cluster, embedded in your app.
 *
 *     propose ─▶ Proposer ─▶ NodeRoute ─┬─▶ Driver ─▶ core ─▶ log, peers     (this node leads)
 *                                       └─▶ one hop to the leader            (it does not)
 *     read ────▶ ReadBarrier, then your function on the state machine
 */
import { jsonCodec, type Address, type Codec, type Milliseconds, type Server } from '@lab/rpc'
import { checkChange, type MembershipChangeInput } from './admin/check-change.ts'
import type { ChangeMembershipOptions } from './admin/operator.ts'
import type { Handover, MembershipReport } from './admin/types.ts'
import { bounded, checkSignal, checkTimeout, type WaitOptions } from './calls/bounded.ts'
import { encodeCommand } from './calls/encode.ts'
import type { ProposeOptions } from './calls/proposer.ts'
import { RaftError, badRequest } from './errors.ts'
import { Host } from './host/host.ts'
import { soleGroup } from './host/stored-groups.ts'
import { LeaderTask, type LeaderWork } from './leader-task.ts'
import { metricsOf, type NodeMetrics } from './metrics.ts'
import type { NodeEvents } from './node-events.ts'
import { checkOptionNames } from './option-names.ts'
import { checkOptions, checkStorage, completeAddress, type RaftNodeOptions } from './options.ts'
import { checkFreshness, type ReadOptions } from './reads.ts'
import { resultOf, type Position } from './rsm/reply.ts'
import { Runtime } from './runtime.ts'
import type { ServerStatus } from './services.ts'
import type { StateMachine } from './state-machine.ts'
import type { Index, NodeId, SnapshotMeta } from './types.ts'

/** What a command of the machine `M` is, and what applying it gives. */
export type CommandOf<M extends StateMachine> = Parameters<M['apply']>[0]
export type ResultOf<M extends StateMachine> = ReturnType<M['apply']>

/** A command's result and where it stands in the log: a token for `waitApplied` on another member. */
export interface Submitted<R> extends Position {
  readonly result: R
}

/** What `node.status()` tells. */
export interface NodeStatus extends ServerStatus {
  /** What people should know about this start: a torn tail was truncated, the options differ from the log. */
  readonly notes: readonly string[]
}

export class RaftNode<M extends StateMachine = StateMachine> {
  readonly #runtime: Runtime
  readonly #machine: M | undefined
  readonly #codec: Codec<CommandOf<M>>
  readonly #resultCodec: Codec<unknown>

  /**
   * Opens the storage, restores the newest snapshot, listens and takes part. Resolves when the node takes part, not when there
   * is a leader: see {@link ready}.
   *
   * @throws {RaftError} `BAD_REQUEST` on an option that is not acceptable, with its value
   * @throws {StorageError} when the storage cannot be used, with what to do
   * @throws {RpcError} `ADDRESS_IN_USE`, `BAD_ADDRESS`
   */
  static async start<M extends StateMachine = StateMachine>(
    options: RaftNodeOptions<M>,
  ): Promise<RaftNode<M>> {
    checkOptionNames(options)
    const settings = checkOptions(options)
    checkStorage(options.storage)
    const host = await Host.open({
      options,
      settings,
      stored: soleGroup(options.storage),
      // With one group they would save nothing.
      beats: false,
    })
    try {
      const end = (why: string): Promise<void> => host.close(why)
      const runtime = await Runtime.open({ host, group: 0, options, settings, end })
      await host.listen(options.services ?? [])
      await runtime.begin()
      return new RaftNode<M>(runtime, options)
    } catch (thrown) {
      await host.close()
      throw thrown
    }
  }

  /** Use {@link RaftNode.start} or `RaftHost.startGroup`. @internal */
  constructor(runtime: Runtime, options: Pick<RaftNodeOptions<M>, 'stateMachine' | 'codec' | 'resultCodec'>) {
    this.#runtime = runtime
    this.#machine = options.stateMachine
    this.#codec = options.codec ?? jsonCodec()
    this.#resultCodec = options.resultCodec ?? jsonCodec()
  }

  get id(): NodeId {
    return this.#runtime.settings.id
  }

  /** Where this node listens; the first of them, complete, with the real port. */
  get address(): Address {
    return this.server.address
  }

  /** For services of the app's own. */
  get server(): Server {
    return this.#runtime.host.server
  }

  /** Resolves when there is a leader and this node has applied all that was committed when it was asked. @throws {RaftError} `TIMEOUT`, `CANCELLED`, `CLOSED` */
  async ready(options: WaitOptions = {}): Promise<void> {
    await this.readBarrier({ timeout: 30_000, ...options })
  }

  /**
   * Has `command` applied on a majority's disks, through whoever leads.
   *
   * @returns what `apply` returned for it
   * @throws {RaftError} with `outcome`: `COMMAND_FAILED` when `apply` threw, `TIMEOUT`, `BUSY`, `CANCELLED`, `CLOSED`,
   *   `SESSION_EXPIRED`, `TOO_LARGE`; with `attempts: 1` also `NOT_LEADER`, `LEADERSHIP_LOST`, `UNAVAILABLE`
   */
  async propose(command: CommandOf<M>, options?: ProposeOptions): Promise<ResultOf<M>> {
    return (await this.submit(command, options)).result
  }

  /** {@link propose}, telling also where the command stands in the log. */
  async submit(command: CommandOf<M>, options: ProposeOptions = {}): Promise<Submitted<ResultOf<M>>> {
    const { proposer, diagnostics, settings } = this.#runtime
    const work = proposer.propose(this.#encode(command), options, (reply) => reply)
    const reply = await diagnostics.proposal(work, settings.clock)
    const result = resultOf(reply, this.#resultCodec) as ResultOf<M>
    return { result, index: reply.index, term: reply.term }
  }

  /**
   * Looks at the state machine: on any member, learners too, linearizable by default (ReadIndex, thesis §6.4), without writing to
   * the log.
   *
   * @param look runs once, synchronously; it must change nothing and keep no reference to the state
   * @throws {RaftError} `LEASES_OFF`, `BUSY` when too many wait, `TIMEOUT`, `CANCELLED`, `CLOSED`
   */
  async read<T>(look: (machine: M) => T, options?: ReadOptions): Promise<T> {
    const machine = this.#machine
    if (machine === undefined) throw badRequest('this node has no stateMachine to read')
    await this.readBarrier(options)
    return look(machine)
  }

  /** Resolves when this node's state is as fresh as `options` ask: by default, as all that was acknowledged anywhere before the call. */
  async readBarrier(options: ReadOptions = {}): Promise<void> {
    const { timeout = this.#runtime.settings.timeout, signal } = options
    const wanted = checkFreshness(options)
    checkTimeout(timeout)
    checkSignal(signal)
    await this.#runtime.barrier.pass(wanted, { timeout, signal })
  }

  /** Resolves when this node has applied the log up to `index`: with `submit` on another member, reading one's own writes. */
  async waitApplied(
    index: Index,
    { timeout = this.#runtime.settings.timeout, signal }: WaitOptions = {},
  ): Promise<void> {
    checkTimeout(timeout)
    checkSignal(signal)
    const applied = this.#runtime.driver.waitApplied(index)
    await this.#bounded(applied, { timeout, signal, what: `entry ${index} was not applied here` })
  }

  /** Makes a snapshot now, of all that is applied. @throws {RaftError} `BAD_REQUEST` when the state machine has no `snapshot` */
  async snapshot(): Promise<SnapshotMeta> {
    if (this.#machine !== undefined && this.#machine.snapshot === undefined)
      throw badRequest('the stateMachine has no snapshot() and restore()')
    return this.#runtime.driver.snapshot()
  }

  /**
   * Runs `work` while this node leads, one at a time: `signal` aborts when it no longer does, `term` is the fencing token. Runs it
   * again when this node is elected again.
   *
   * @returns to be awaited (it rejects when `work` throws) or stopped
   */
  whileLeader(work: LeaderWork): LeaderTask {
    const { standing } = this.#runtime
    const task = new LeaderTask(work, (ended) => standing.removeTask(ended))
    standing.addTask(task)
    return task
  }

  /**
   * Changes who takes part (§6), through whoever leads: any set of servers to any other, one change at a time. Servers to be added
   * run already, with `join`; they become voters once they have caught up. Resolves when the change is committed.
   *
   * @param options.timeout default one minute: with much data, add learners first and promote them later
   * @throws {RaftError} with `outcome`: `CONFLICT` when `ifIndex` is past, `NOT_CAUGHT_UP` when a server to be added did not come
   *   near the end of the log (nothing has changed then), `UNKNOWN_NODE` when another or nobody answers at its address,
   *   `BAD_REQUEST`, `TIMEOUT`, `CANCELLED`, `CLOSED`; with `ifIndex` also `LEADERSHIP_LOST`
   */
  async changeMembership(
    change: MembershipChangeInput,
    options: ChangeMembershipOptions = {},
  ): Promise<MembershipReport> {
    const { transports } = this.#runtime.settings
    const checked = checkChange(change, (address) => completeAddress(address, transports))
    return this.#runtime.operator.change(checked, options)
  }

  /** Who takes part, as the leader has it. What this server knows, perhaps less, stands in `status()`. @throws {RaftError} `TIMEOUT`, `CANCELLED`, `CLOSED` */
  membership(options: WaitOptions = {}): Promise<MembershipReport> {
    return this.#runtime.operator.membership(options)
  }

  /**
   * Has whoever leads hand over (thesis §3.10) to `to`, or to whoever has most of the log. Resolves with who leads then. A leader
   * waits for its successor for an election timeout, and is asked again while there is time: 5 s unless `timeout` says otherwise.
   *
   * @throws {RaftError} `NOT_TRANSFERRED` when nobody, or somebody else than `to`, took over; `BAD_REQUEST` when `to` has no vote,
   *   `TIMEOUT`, `CANCELLED`, `CLOSED`
   */
  transferLeadership(to?: NodeId, options: WaitOptions = {}): Promise<Handover> {
    return this.#runtime.operator.transfer(to, options)
  }

  /** Has whoever leads leave office, to the best of its successors if one has the whole log, else to whom an election brings. */
  stepDown(options: WaitOptions = {}): Promise<Handover> {
    return this.#runtime.operator.stepDown(options)
  }

  /** @returns a function that takes the listener off again */
  on<Name extends keyof NodeEvents>(name: Name, listener: (event: NodeEvents[Name]) => void): () => void {
    const off = this.#runtime.events.on(name, listener)
    if (name === 'membership') this.#runtime.announceDifference()
    return off
  }

  status(): NodeStatus {
    return Object.assign(this.#runtime.status(), { notes: this.#runtime.notes })
  }

  /** Is a snapshot being written here? Who has other large work may wait: it shares disk and processor. */
  get makesSnapshot(): boolean {
    return this.#runtime.driver.makesSnapshot
  }

  /** Counters, gauges and distributions, as a Prometheus renderer needs them. Cheap enough to ask every second. */
  metrics(): NodeMetrics {
    const { driver, host } = this.#runtime
    return metricsOf(driver, host.server.connections)
  }

  /** Stops. What waits fails with `CLOSED`; ports, files and timers are given back when it resolves. Idempotent. */
  close(): Promise<void> {
    return this.#runtime.close()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  #encode(command: CommandOf<M>): Uint8Array {
    if (this.#machine === undefined)
      throw badRequest('this node has no stateMachine to propose to', { outcome: 'not-applied' })
    const bytes = encodeCommand(this.#codec, command)
    const { commandBytesMax } = this.#runtime.settings.limits
    if (bytes.length <= commandBytesMax) return bytes
    throw new RaftError(
      'TOO_LARGE',
      `the command has ${bytes.length} bytes; at most ${commandBytesMax} are taken`,
      {
        outcome: 'not-applied',
      },
    )
  }

  #bounded<T>(
    work: Promise<T>,
    options: {
      readonly timeout: Milliseconds
      readonly signal: AbortSignal | undefined
      readonly what: string
    },
  ): Promise<T> {
    const { settings, deadlines } = this.#runtime
    return bounded({ clock: settings.clock, deadlines }, work, options)
  }
}

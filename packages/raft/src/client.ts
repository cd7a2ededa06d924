import {
  jsonCodec,
  systemClock,
  systemRandom,
  toError,
  type Address,
  type Client,
  type Clock,
  type Codec,
  type Limits,
  type Methods,
  type Milliseconds,
  type Random,
  type Service,
  type TraceSink,
  type Transport,
} from '@lab/rpc'
import { checkChange, type MembershipChangeInput } from './admin/check-change.ts'
import { Operator, type ChangeMembershipOptions } from './admin/operator.ts'
import type { Handover, MembershipReport } from './admin/types.ts'
import { checkTimeout, type WaitOptions } from './calls/bounded.ts'
import { Deadlines } from './calls/deadlines.ts'
import { encodeCommand, encodeQuery } from './calls/encode.ts'
import { fromRpcError } from './calls/refusal.ts'
import { Proposer, type ProposeOptions } from './calls/proposer.ts'
import type { Sending } from './calls/sending.ts'
import { ClientRoute, type KnownServer } from './client-route.ts'
import { type RaftError, badRequest } from './errors.ts'
import type { Submitted } from './node.ts'
import { checkGroup, checkTransports, completeAddress } from './options.ts'
import { checkFreshness, encodeWanted, type ReadOptions } from './reads.ts'
import { resultOf, type Reply } from './rsm/reply.ts'
import type { ServerStatus } from './services.ts'
import type { NodeId } from './types.ts'

/** A server that comes back is tried again within this time: it may be the leader that everybody waits for. */
const RECONNECT_MS_MAX = 1000

export interface RaftClientOptions<C = unknown, R = unknown, Q = unknown, A = unknown> {
  /** Some of the cluster's servers; it learns of others. */
  readonly servers: readonly Address[]
  readonly transport?: Transport
  readonly transports?: readonly Transport[]
  /** The same as on the servers, as are the other codecs. */
  readonly codec?: Codec<C>
  readonly resultCodec?: Codec<R>
  readonly queryCodec?: Codec<Q>
  readonly answerCodec?: Codec<A>
  /** Which of the groups that the servers run. Default 0, the only one of a `RaftNode`. */
  readonly group?: number
  /** When given, servers of another cluster are refused. */
  readonly clusterId?: string
  readonly token?: string
  /** `admin` to change the cluster itself: who takes part, who leads. Default `client`. */
  readonly role?: 'client' | 'admin'
  /** When a call is given none. Default 10 s. */
  readonly timeout?: Milliseconds
  /** How long `connect` waits for the first server. Default 5 s. */
  readonly connectTimeout?: Milliseconds
  /** A server that has not answered for so long: another is asked. Default 2 s. */
  readonly attemptTimeout?: Milliseconds
  readonly rpcLimits?: Partial<Limits>
  readonly clock?: Clock
  readonly random?: Random
  readonly trace?: TraceSink
}

export interface ClientReadOptions extends ReadOptions {
  /** Who is asked: whoever seems to lead, or all servers in turn, which spreads the load. Default: all in turn for `stale` only. */
  readonly from?: 'leader' | 'any'
}

export interface ClientMetrics {
  /** Calls that had to be sent more than once: their server died, lost its office or did not answer in time. */
  readonly retried: number
}

/** One server's answer to `status`, or why there is none. */
export interface ServerReport {
  readonly addresses: readonly Address[]
  readonly status: ServerStatus | null
  readonly error: RaftError | null
}

/**
 * Proposes and reads from a process that is no member. Any number of calls at a time; concurrent ones may take effect in any
 * order, awaiting orders them.
 *
 * @typeParam C command @typeParam R result @typeParam Q query @typeParam A answer
 */
export class RaftClient<C = unknown, R = unknown, Q = unknown, A = unknown> {
  readonly #route: ClientRoute
  readonly #proposer: Proposer
  readonly #operator: Operator
  readonly #transports: readonly Transport[]
  readonly #deadlines: Deadlines
  readonly #clock: Clock
  readonly #group: number
  readonly #codec: Codec<C>
  readonly #resultCodec: Codec<unknown>
  readonly #queryCodec: Codec<Q>
  readonly #answerCodec: Codec<A>

  /**
   * Resolves when one of the servers answers.
   *
   * @throws {RaftError} `UNAVAILABLE` when none does in time, `UNAUTHORISED` or `WRONG_CLUSTER` when all refuse, `BAD_REQUEST`
   */
  static async connect<C = unknown, R = unknown, Q = unknown, A = unknown>(
    options: RaftClientOptions<C, R, Q, A>,
  ): Promise<RaftClient<C, R, Q, A>> {
    const client = RaftClient.open(options)
    try {
      await client.#firstServer(checkTimeout(options.connectTimeout ?? 5000))
      return client
    } catch (thrown) {
      await client.close()
      throw thrown
    }
  }

  /** As {@link connect}, without waiting for anybody: calls wait themselves. @throws {RaftError} `BAD_REQUEST` */
  static open<C = unknown, R = unknown, Q = unknown, A = unknown>(
    options: RaftClientOptions<C, R, Q, A>,
  ): RaftClient<C, R, Q, A> {
    return new RaftClient(options)
  }

  private constructor(options: RaftClientOptions<C, R, Q, A>) {
    const { clock = systemClock, random = systemRandom, timeout = 10_000, attemptTimeout = 2000 } = options
    const transports = checkTransports(options)
    if (typeof options.servers === 'string')
      throw badRequest(`servers must be a list of addresses, not '${options.servers as string}'`)
    if (options.servers.length === 0) throw badRequest('servers needs at least one address')
    this.#clock = clock
    this.#codec = options.codec ?? jsonCodec()
    this.#resultCodec = options.resultCodec ?? jsonCodec()
    this.#queryCodec = options.queryCodec ?? jsonCodec()
    this.#answerCodec = options.answerCodec ?? jsonCodec<A>()
    const { group = 0, clusterId = '', token, trace, rpcLimits, role = 'client' } = options
    this.#group = checkGroup(group)
    this.#route = new ClientRoute({
      group,
      servers: options.servers.map((address) => completeAddress(address, transports)),
      schemes: new Set(transports.flatMap((transport) => transport.schemes)),
      clock,
      link: {
        transports,
        clock,
        random,
        identity: { clusterId, role, ...(token === undefined ? {} : { token }) },
        reconnect: { maxMs: RECONNECT_MS_MAX },
        ...(trace === undefined ? {} : { trace }),
        ...(rpcLimits === undefined ? {} : { limits: rpcLimits }),
      },
    })
    this.#deadlines = new Deadlines(clock)
    this.#proposer = new Proposer({
      route: this.#route,
      clock,
      random,
      deadlines: this.#deadlines,
      timeout: checkTimeout(timeout),
      attemptTimeout,
    })
    this.#transports = transports
    this.#operator = new Operator({
      clock,
      proposer: this.#proposer,
      attempt: (method, body, attempt) => this.#route.ask(method, body, attempt),
    })
  }

  /** See {@link RaftNode.propose}. */
  propose(command: C, options: ProposeOptions = {}): Promise<R> {
    return this.#propose(command, options, this.#resultOf)
  }

  /** {@link propose}, telling also where the command stands in the log. */
  submit(command: C, options: ProposeOptions = {}): Promise<Submitted<R>> {
    return this.#propose(command, options, (reply) => {
      const { index, term } = reply
      return { result: this.#resultOf(reply), index, term }
    })
  }

  /**
   * Has the machine's `query` answer, linearizably unless `options` say otherwise.
   *
   * @throws {RaftError} `COMMAND_FAILED` when it threw, `LEASES_OFF`, `TIMEOUT`, `CANCELLED`, `CLOSED`
   */
  read(query: Q, options: ClientReadOptions = {}): Promise<A> {
    try {
      const wanted = checkFreshness(options)
      const head = encodeWanted(wanted)
      const body = encodeQuery(this.#queryCodec, query)
      const anyone = (options.from ?? (wanted.consistency === 'stale' ? 'any' : 'leader')) === 'any'
      const send = (sending: Sending): void => this.#route.read(head, sending, { anyone })
      return this.#proposer.ask(body, send, options, this.#answerOf)
    } catch (thrown) {
      return Promise.reject(toError(thrown))
    }
  }

  /**
   * Calls of a service of your own (see `RaftNode.server`) on each server that is connected now. Unlike {@link propose} and {@link read}
   * they are sent once, and nobody looks for the leader.
   */
  clients<M extends Methods>(service: Service<M>): Client<M>[] {
    return this.#route.servers
      .filter(({ link }) => link.state === 'up')
      .map(({ link }) => link.client(service))
  }

  /** See {@link RaftNode.changeMembership}. @throws {RaftError} also `UNAUTHORISED` unless connected with `role: 'admin'` */
  async changeMembership(
    change: MembershipChangeInput,
    options: ChangeMembershipOptions = {},
  ): Promise<MembershipReport> {
    const checked = checkChange(change, (address) => completeAddress(address, this.#transports))
    return this.#operator.change(checked, options)
  }

  /** See {@link RaftNode.membership}. */
  membership(options: WaitOptions = {}): Promise<MembershipReport> {
    return this.#operator.membership(options)
  }

  /** See {@link RaftNode.transferLeadership}. @throws {RaftError} also `UNAUTHORISED` unless connected with `role: 'admin'` */
  transferLeadership(to?: NodeId, options: WaitOptions = {}): Promise<Handover> {
    return this.#operator.transfer(to, options)
  }

  /** See {@link RaftNode.stepDown}. @throws {RaftError} also `UNAUTHORISED` unless connected with `role: 'admin'` */
  stepDown(options: WaitOptions = {}): Promise<Handover> {
    return this.#operator.stepDown(options)
  }

  /** What each server known says of itself. */
  status({ timeout = 2000, signal }: WaitOptions = {}): Promise<ServerReport[]> {
    checkTimeout(timeout)
    const ask = async ({ addresses, requests }: KnownServer): Promise<ServerReport> => {
      try {
        const status = await requests.status(
          this.#group,
          signal === undefined ? { timeout } : { timeout, signal },
        )
        return { addresses, status, error: null }
      } catch (thrown) {
        return { addresses, status: null, error: fromRpcError(thrown) }
      }
    }
    return Promise.all(this.#route.servers.map(ask))
  }

  /**
   * The bytes of a backup of the whole state, at least as new as the call: see `readBackup`. One server makes a snapshot and sends
   * it; the cluster goes on meanwhile.
   *
   * @throws {RpcError} @throws {RaftError} `UNAVAILABLE`
   */
  async *backup({ signal }: Pick<WaitOptions, 'signal'> = {}): AsyncGenerator<Uint8Array, void, undefined> {
    let refused: Error | null = null
    for (const { link, requests } of this.#route.servers) {
      if (link.state !== 'up') continue
      const chunks = requests.backup(this.#group, signal === undefined ? {} : { signal })
      const iterator = chunks[Symbol.asyncIterator]()
      try {
        const first = await iterator.next()
        if (first.done !== true) yield first.value
      } catch (thrown) {
        // It has no replica of the group any more, or cannot prove that it is up to date: perhaps another can.
        refused = toError(thrown)
        continue
      }
      yield* { [Symbol.asyncIterator]: () => iterator }
      return
    }
    throw refused ?? this.#route.unavailable()
  }

  /** Counts since the start. */
  metrics(): ClientMetrics {
    return { retried: this.#proposer.retried }
  }

  /** What waits fails with `CLOSED`. Idempotent. */
  async close(): Promise<void> {
    this.#proposer.close()
    this.#route.close()
    this.#deadlines.close()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  #propose<T>(command: C, options: ProposeOptions, read: (reply: Reply) => T): Promise<T> {
    try {
      return this.#proposer.propose(encodeCommand(this.#codec, command), options, read)
    } catch (thrown) {
      return Promise.reject(toError(thrown))
    }
  }

  readonly #resultOf = (reply: Reply): R => resultOf(reply, this.#resultCodec) as R

  readonly #answerOf = (answer: Uint8Array): A => this.#answerCodec.decode(answer.subarray(1))

  async #firstServer(timeout: Milliseconds): Promise<void> {
    const deadline = this.#clock.now() + timeout
    while (!this.#route.isUp) {
      const error = this.#route.unavailable()
      const left = deadline - this.#clock.now()
      if (left <= 0 || error.code !== 'UNAVAILABLE') throw error
      await this.#route.changed(left)
    }
  }
}

/** The controller from outside: asks for configurations and has them changed, exactly once however often it must ask. */
import {
  RaftClient,
  RaftError,
  type ClientReadOptions,
  type RaftClientOptions,
  type ServerReport,
  type WaitOptions,
} from '@lab/raft'
import { assert, sleep, systemClock, type Address, type Clock } from '@lab/rpc'
import { watchConfigs, type ConfigWatchOptions } from './clerk-watch.ts'
import { controllerCodecs } from './codecs.ts'
import type { Command } from './commands.ts'
import { compacted } from './compacted.ts'
import { GID_MAX, type Config, type Gid } from './config.ts'
import { ControllerError } from './errors.ts'
import type { Answer, Progress, Query } from './queries.ts'
import type { Result } from './results.ts'

export { gidsOf, shardsOf, weightOf, type Config, type Gid, type KeyToShard } from './config.ts'
export type { ConfigWatchOptions } from './clerk-watch.ts'
export { ControllerError, type ControllerErrorCode } from './errors.ts'
export { shardOf, tagOf } from './key-to-shard.ts'
export type { Progress } from './queries.ts'

/** `servers`, `transport` and the rest of `RaftClient.connect`, without the codecs. */
export type ClerkOptions = Omit<
  RaftClientOptions<Command, Result, Query, Answer>,
  keyof typeof controllerCodecs
>

export interface JoinOptions extends WaitOptions {
  /** A group of weight 2 gets twice as many shards as one of weight 1, which is the default. 1 to 1000. */
  readonly weights?: Readonly<Record<Gid, number>>
}

/** A cluster that is new has no number of shards until its first leader has put it into the log. */
const CREATION_MS = 20
const TIMEOUT_MS = 10_000

/**
 * Every change returns the number of the configuration that it made, or of the current one when there was nothing to change.
 *
 * Every method throws `RaftError` when the controller did not answer in time; on a change, `outcome` tells whether it certainly did
 * nothing.
 */
export class Clerk implements AsyncDisposable {
  readonly #client: RaftClient<Command, Result, Query, Answer>
  readonly #clock: Clock
  readonly #timeout: number
  #isClosed = false

  private constructor(client: RaftClient<Command, Result, Query, Answer>, { clock, timeout }: ClerkOptions) {
    this.#client = client
    this.#clock = clock ?? systemClock
    this.#timeout = timeout ?? TIMEOUT_MS
  }

  static async connect(options: ClerkOptions): Promise<Clerk> {
    return new Clerk(await RaftClient.connect({ ...options, ...controllerCodecs }), options)
  }

  /**
   * The configuration of that number, linearizable; the latest without one, for −1, and for numbers that are not there yet.
   *
   * @throws {ControllerError} `COMPACTED`, with the number of the oldest that is known
   */
  async query(num = -1, options: ClientReadOptions = {}): Promise<Config> {
    if (!Number.isSafeInteger(num) || num < -1)
      throw new RaftError('BAD_REQUEST', `no number of a configuration: ${num}`)
    const answer = await this.#read({ op: 'config', num }, options)
    if (answer.status === 'compacted') throw compacted(num, answer.firstNum)
    assert(answer.status === 'config', 'asked for a configuration')
    return answer.config
  }

  /** How far the groups are with what the configurations ask of them. */
  async progress(options: ClientReadOptions = {}): Promise<Progress> {
    const answer = await this.#read({ op: 'progress' }, options)
    assert(answer.status === 'progress', 'asked for the progress')
    return { firstNum: answer.firstNum, finished: answer.finished, gone: answer.gone }
  }

  /** Adds groups, with the addresses of their servers. @throws {ControllerError} `DUPLICATE_GID`, `BAD_GID`, `NO_SERVERS`, `BAD_SERVER`, `BAD_WEIGHT` */
  join(
    groups: Readonly<Record<Gid, readonly Address[]>>,
    { weights = {}, ...options }: JoinOptions = {},
  ): Promise<number> {
    const joining = Object.entries(groups).map(([key, servers]) => {
      const gid = Number(key)
      checkNumber('BAD_GID', `a group's id is a whole number from 1 to ${GID_MAX}`, gid)
      const weight = weights[gid] ?? 1
      checkNumber('BAD_WEIGHT', 'a weight is a whole number', weight)
      return { gid, weight, servers }
    })
    return this.#change({ op: 'join', groups: joining }, options)
  }

  /** Takes groups away: their shards go to the others. @throws {ControllerError} `UNKNOWN_GID` */
  leave(gids: readonly Gid[], options?: WaitOptions): Promise<number> {
    for (const gid of gids) checkNumber('UNKNOWN_GID', 'there is no such group', gid)
    return this.#change({ op: 'leave', gids }, options)
  }

  /** Gives one shard to a group; the next join or leave may move it again, unless it is pinned. @throws {ControllerError} `BAD_SHARD`, `UNKNOWN_GID` */
  move(shard: number, gid: Gid, options?: WaitOptions): Promise<number> {
    checkNumber('BAD_SHARD', 'there is no such shard', shard)
    checkNumber('UNKNOWN_GID', 'there is no such group', gid)
    return this.#change({ op: 'move', shard, gid }, options)
  }

  /** Has rebalancing leave these shards where they are, until their group leaves. @throws {ControllerError} `BAD_SHARD`, `UNKNOWN_GID` while there are no groups */
  pin(shards: readonly number[], options?: WaitOptions): Promise<number> {
    for (const shard of shards) checkNumber('BAD_SHARD', 'there is no such shard', shard)
    return this.#change({ op: 'pin', shards }, options)
  }

  /** They take part in the next rebalancing. @throws {ControllerError} `BAD_SHARD` */
  unpin(shards: readonly number[], options?: WaitOptions): Promise<number> {
    for (const shard of shards) checkNumber('BAD_SHARD', 'there is no such shard', shard)
    return this.#change({ op: 'unpin', shards }, options)
  }

  /** Gives a group another weight, and rebalances. @throws {ControllerError} `UNKNOWN_GID`, `BAD_WEIGHT` */
  weigh(gid: Gid, weight: number, options?: WaitOptions): Promise<number> {
    checkNumber('UNKNOWN_GID', 'there is no such group', gid)
    checkNumber('BAD_WEIGHT', 'a weight is a whole number', weight)
    return this.#change({ op: 'weigh', gid, weight }, options)
  }

  /** Tells where a group's servers are now; no shard moves. @throws {ControllerError} `UNKNOWN_GID`, `NO_SERVERS`, `BAD_SERVER` */
  relocate(gid: Gid, servers: readonly Address[], options?: WaitOptions): Promise<number> {
    checkNumber('UNKNOWN_GID', 'there is no such group', gid)
    return this.#change({ op: 'relocate', gid, servers }, options)
  }

  /** For groups: `gid` has taken and handed over all that configuration `num` asks, and needs no earlier one. */
  finished(gid: Gid, num: number, options?: WaitOptions): Promise<number> {
    return this.#change({ op: 'finished', gid, num }, options)
  }

  /**
   * Configurations in order, none left out: `after + 1` first, by default the one after the latest. Goes from server to server when
   * one dies or lags. Ends by `break`, or by its signal.
   *
   * @throws {ControllerError} `COMPACTED` when one that it should tell is forgotten
   * @throws {RaftError} `CANCELLED`, `CLOSED`, `UNAUTHORISED`
   */
  watch(options: ConfigWatchOptions = {}): AsyncGenerator<Config, void, undefined> {
    return watchConfigs({
      options,
      client: this.#client,
      clock: this.#clock,
      query: (num, read) => this.query(num, read),
      isClosed: () => this.#isClosed,
    })
  }

  /** What each server says of itself, or why it does not. */
  status(options?: WaitOptions): Promise<ServerReport[]> {
    return this.#client.status(options)
  }

  async close(): Promise<void> {
    this.#isClosed = true
    await this.#client.close()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  async #read(query: Query, options: ClientReadOptions): Promise<Answer> {
    return this.#created(options, async (timeout) => {
      const answer = await this.#client.read(query, { ...options, timeout })
      return answer.status === 'not-created' ? null : answer
    })
  }

  async #change(command: Command, options: WaitOptions = {}): Promise<number> {
    return this.#created(options, async (timeout) => {
      const result = await this.#client.propose(command, { ...options, timeout })
      if (result.status === 'done') return result.num
      if (result.code === 'NOT_CREATED') return null
      throw new ControllerError(result.code, result.message, { outcome: 'not-applied' })
    })
  }

  /** Asks again as long as there is no number of shards yet. @throws {ControllerError} `NOT_CREATED` when that takes too long */
  async #created<T>(
    { timeout = this.#timeout, signal }: WaitOptions,
    ask: (timeout: number) => Promise<T | null>,
  ): Promise<T> {
    const deadline = this.#clock.now() + timeout
    for (;;) {
      const left = deadline - this.#clock.now()
      const answer = await ask(Math.max(left, 1)).catch(named)
      if (answer !== null) return answer
      if (left <= CREATION_MS)
        throw new ControllerError('NOT_CREATED', 'nobody has said yet how many shards there are', {
          outcome: 'not-applied',
        })
      await sleep(this.#clock, CREATION_MS, signal)
    }
  }
}

/** Whoever asks for a key asks the controller first, and should know which of the two did not answer. */
function named(thrown: unknown): never {
  if (!(thrown instanceof RaftError)) throw thrown
  const { code, message, outcome, leaderHint, remoteCode } = thrown
  const said = `the shard controller: ${message}`
  throw new RaftError(code, said, { outcome, leaderHint, remoteCode, cause: thrown })
}

/** What the log cannot even hold is refused here, with the same code. */
function checkNumber(
  code: 'BAD_GID' | 'UNKNOWN_GID' | 'BAD_SHARD' | 'BAD_WEIGHT',
  what: string,
  number: number,
): void {
  if (Number.isSafeInteger(number) && number >= 0) return
  throw new ControllerError(code, `${what}: ${number}`, { outcome: 'not-applied' })
}

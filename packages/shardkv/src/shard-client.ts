/**
 * Finds the group of each key. For every shard that is written to there is a session of its own, which moves with the shard: so
 * every write counts once, however often it must be sent and wherever its shard is by then.
 */
import {
  commandCodec,
  answerCodec,
  queryCodec,
  resultCodec,
  type Answer,
  type Command,
  type Page,
  type Query,
} from '@lab/kvraft'
import type { KeyClient } from '@lab/kvraft/clerk'
import { eachKey } from '@lab/kvraft/parts'
import { RaftError, type ClientReadOptions, type ProposeOptions } from '@lab/raft'
import { Deadlines, Proposer, resultOf, type Reply } from '@lab/raft/rsm'
import { assert, toError, type Clock, type Milliseconds, type Random } from '@lab/rpc'
import { shardOf } from '@lab/shardctrler'
import type { ConfigCache } from './config-cache.ts'
import { ShardError } from './errors.ts'
import { encodeQuery } from './queries.ts'
import { ShardRoute, type GroupWays } from './shard-route.ts'

export interface ShardClientOptions {
  readonly configs: ConfigCache
  readonly groups: GroupWays
  readonly clock: Clock
  readonly random: Random
  /** When a call is given none. */
  readonly timeout: Milliseconds
  /** After so long without an answer somebody else is asked. */
  readonly attemptTimeout: Milliseconds
}

interface Way {
  readonly route: ShardRoute
  readonly proposer: Proposer
}

export type Result = ReturnType<typeof resultCodec.decode>

function resultIn(reply: Reply): Result {
  return resultOf(reply, resultCodec) as Result
}

export class ShardClient implements KeyClient {
  readonly #options: ShardClientOptions
  readonly #deadlines: Deadlines
  /** By shard, made when it is first used. */
  readonly #ways = new Map<number, Way>()
  #isClosed = false

  constructor(options: ShardClientOptions) {
    this.#options = options
    this.#deadlines = new Deadlines(options.clock)
  }

  /** Calls that had to be sent more than once. */
  get retried(): number {
    return [...this.#ways.values()].reduce((sum, { proposer }) => sum + proposer.retried, 0)
  }

  /** @throws {ShardError} `CROSS_SHARD` */
  propose(command: Command, options: ProposeOptions = {}): Promise<Result> {
    try {
      const bytes = commandCodec.encode(command)
      return this.#way(this.#shardOf(bytes)).proposer.propose(bytes, options, resultIn)
    } catch (thrown) {
      return Promise.reject(toError(thrown))
    }
  }

  /** A read of one key. For ranges see {@link readShard}. */
  async read(query: Query, options?: ClientReadOptions): Promise<Answer | Page> {
    assert(query.op === 'get', 'a range is read shard by shard')
    return this.readShard(shardOf(this.#options.configs.config, query.key), query, options)
  }

  /** Asks whoever serves the shard. */
  async readShard(shard: number, query: Query, options: ClientReadOptions = {}): Promise<Answer | Page> {
    const { route, proposer } = this.#way(shard)
    const bytes = encodeQuery(shard, queryCodec.encode(query))
    const { consistency, atLeast, from } = options
    const read = { consistency, atLeast, ...(from === undefined ? {} : { from }) }
    return proposer.ask(
      bytes,
      (sending) => route.read(sending, read),
      options,
      (answer) => answerCodec.decode(answer),
    )
  }

  close(): void {
    this.#isClosed = true
    for (const { proposer } of this.#ways.values()) proposer.close()
    this.#deadlines.close()
  }

  #way(shard: number): Way {
    if (this.#isClosed) throw new RaftError('CLOSED', 'the clerk was closed', { outcome: 'not-applied' })
    const known = this.#ways.get(shard)
    if (known !== undefined) return known
    const { configs, groups, clock, random, timeout, attemptTimeout } = this.#options
    const route = new ShardRoute({ shard, configs, groups, clock })
    const proposer = new Proposer({
      route,
      clock,
      random,
      deadlines: this.#deadlines,
      timeout,
      attemptTimeout,
    })
    const way = { route, proposer }
    this.#ways.set(shard, way)
    return way
  }

  #shardOf(command: Uint8Array): number {
    const { config } = this.#options.configs
    let shard: number | null = null
    let others = 0
    eachKey(command, (key) => {
      const home = shardOf(config, key)
      shard ??= home
      if (home !== shard) others++
    })
    if (others === 0) return shard ?? 0
    throw new ShardError(
      'CROSS_SHARD',
      `a transaction's keys are in one shard, ${others} of these are elsewhere than the first: give them the same {tag}, as in {cart7}/items and {cart7}/sum`,
      'not-applied',
    )
  }
}

/**
 * The sharded store from outside: kvraft's `Clerk`, with the same methods. It asks the controller where each shard is, remembers it,
 * and learns of moves from the groups themselves. Runs in browsers.
 */
import {
  KeyOperations,
  type CallOptions,
  type KeyEntry,
  type KeyRange,
  type ReadCallOptions,
  type WatchEvent,
} from '@lab/kvraft/clerk'
import type { ClientMetrics } from '@lab/raft'
import { systemClock, systemRandom, type Address, type Clock } from '@lab/rpc'
import { Clerk as ControllerClerk, type Config } from '@lab/shardctrler/clerk'
import { watchShards, type ShardWatchOptions } from './clerk-watch.ts'
import { ConfigCache } from './config-cache.ts'
import { GroupClients, type GroupClientOptions } from './group-clients.ts'
import { ScanMerge, type ShardScanOptions } from './scan-merge.ts'
import { ShardClient } from './shard-client.ts'
import { ShardService, type GroupStatus } from './shard-service.ts'

export {
  KvError,
  valueText,
  type CallOptions,
  type KeyEntry,
  type KeyRange,
  type WatchEvent,
} from '@lab/kvraft/clerk'
export { ShardError, type ShardErrorCode } from './errors.ts'
export type { ShardWatchOptions, ShardWatchEvent } from './clerk-watch.ts'
export type { ShardScanOptions } from './scan-merge.ts'
export type { GroupStatus, ShardReport } from './shard-service.ts'

export interface ClerkOptions extends GroupClientOptions {
  /** Some of the controller's servers. */
  readonly controllers: readonly Address[]
  /** How long `connect` waits for the controller. Default 5 s. */
  readonly connectTimeout?: number
}

const TIMEOUT_MS = 10_000
const ATTEMPT_TIMEOUT_MS = 2000
const STATUS_TIMEOUT_MS = 2000

/**
 * Calls of one clerk that run side by side may take effect in any order; awaiting orders them. Every write counts exactly once, over
 * any number of moves of its shard. Revisions are a shard's: they compare keys of one shard only.
 */
export class Clerk extends KeyOperations implements AsyncDisposable {
  readonly #client: ShardClient
  readonly #controller: ControllerClerk
  readonly #groups: GroupClients
  readonly #configs: ConfigCache
  readonly #clock: Clock
  #isClosed = false

  private constructor(parts: {
    readonly client: ShardClient
    readonly controller: ControllerClerk
    readonly groups: GroupClients
    readonly configs: ConfigCache
    readonly clock: Clock
  }) {
    super(parts.client)
    this.#client = parts.client
    this.#controller = parts.controller
    this.#groups = parts.groups
    this.#configs = parts.configs
    this.#clock = parts.clock
  }

  /** @throws what the controller's clerk throws when nobody answers */
  static async connect(options: ClerkOptions): Promise<Clerk> {
    const { controllers, clock = systemClock, random = systemRandom } = options
    const { timeout = TIMEOUT_MS, attemptTimeout = ATTEMPT_TIMEOUT_MS } = options
    const controller = await ControllerClerk.connect({ ...options, servers: controllers })
    const config = await controller.query()
    const groups = new GroupClients(options)
    const configs = new ConfigCache(
      config,
      () => controller.query(-1, { timeout: attemptTimeout }),
      ({ groups: now }) => groups.keep(new Set(Object.keys(now).map(Number))),
    )
    const client = new ShardClient({ configs, groups, clock, random, timeout, attemptTimeout })
    return new Clerk({ client, controller, groups, configs, clock })
  }

  /** The configuration that this clerk goes by; perhaps not the newest. */
  get config(): Config {
    return this.#configs.config
  }

  /**
   * All keys of a range in order, over all shards. No snapshot: each page of each shard is of a moment of its own. A key that is
   * there all the while is told once, also when its shard moves meanwhile.
   *
   * @throws {KvError} `BAD_RANGE`, `BAD_KEY`
   */
  entries(range: KeyRange, options?: ShardScanOptions): AsyncGenerator<KeyEntry, void, undefined> {
    return new ScanMerge(this.#client, this.#configs.config.shards.length, range, options).entries()
  }

  /** The first `limit` keys (default 1000) of a range: as {@link entries}, at once. */
  async scan(range: KeyRange, options: ShardScanOptions = {}): Promise<KeyEntry[]> {
    const { limit = 1000 } = options
    const found: KeyEntry[] = []
    for await (const entry of this.entries(range, options)) {
      found.push(entry)
      if (found.length === limit) break
    }
    return found
  }

  /**
   * The changes of a range, as they come: each once, those of one shard in the order of its revisions, through moves of shards and
   * the death of servers. Ends by `break`, or by its signal.
   *
   * @throws {KvError} `COMPACTED` @throws {RaftError} `CANCELLED`, `CLOSED`, `UNAUTHORISED`
   */
  watch(
    range: KeyRange,
    options: ShardWatchOptions = {},
  ): AsyncGenerator<WatchEvent & { readonly shard: number }, void, undefined> {
    return watchShards(range, options, {
      configs: this.#configs,
      groups: this.#groups,
      clock: this.#clock,
      isClosed: () => this.#isClosed,
    })
  }

  /** What the replicas of each group say of their shards; of servers that do not answer, nothing. */
  async status({ timeout = STATUS_TIMEOUT_MS }: CallOptions = {}): Promise<GroupStatus[]> {
    await this.#configs.refresh()
    const { groups } = this.#configs.config
    const asked = Object.entries(groups).flatMap(([gid, servers]) =>
      (this.#groups.of({ gid: Number(gid), servers })?.clients(ShardService) ?? []).map((server) =>
        server.status(Number(gid), { timeout }).catch(() => null),
      ),
    )
    return (await Promise.all(asked)).filter((status) => status !== null)
  }

  /** Counts since the start. */
  metrics(): ClientMetrics {
    return { retried: this.#client.retried }
  }

  async close(): Promise<void> {
    this.#isClosed = true
    this.#client.close()
    await Promise.all([this.#groups.close(), this.#controller.close()])
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }
}

export type { ReadCallOptions }

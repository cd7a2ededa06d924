/**
 * The store from outside: `Clerk`, the labs' name for its client. Finds the leader, follows it when it changes, repeats
 * what was lost, and still changes everything exactly once. Runs in browsers.
 */
import { RaftClient, type ClientMetrics, type RaftClientOptions, type ServerReport } from '@lab/raft'
import { RpcError, assert, systemClock, type Clock } from '@lab/rpc'
import { watchChanges, type WatchOptions } from './clerk-watch.ts'
import { kvCodecs } from './codecs.ts'
import type { Command } from './commands.ts'
import type { WatchEvent } from './events.ts'
import { KeyOperations, type CallOptions, type ReadCallOptions } from './key-operations.ts'
import type { Answer, KeyEntry, Page, Query } from './queries.ts'
import { boundsOf, followerOf, type KeyRange } from './range.ts'
import type { Result } from './results.ts'
import { scanOf } from './scan.ts'
import { WatchService } from './watch-service.ts'

export type { WatchOptions } from './clerk-watch.ts'
export {
  KeyOperations,
  type CallOptions,
  type Deleted,
  type Expected,
  type KeyClient,
  type PutOptions,
  type ReadCallOptions,
  type Swapped,
  type TxnDone,
  type Written,
} from './key-operations.ts'
export { KvError, type KvErrorCode } from './errors.ts'
export type { WatchEvent } from './events.ts'
export { KEY_BYTES_MAX, VALUE_BYTES_MAX } from './limits.ts'
export type { Answer, Entry, KeyEntry } from './queries.ts'
export type { KeyRange } from './range.ts'
export type { OperationResult } from './results.ts'
export { valueText, type TextOrBytes } from './text.ts'
export type { Relation } from './txn.ts'
export type { TxnCondition, TxnOperation, TxnRequest } from './txn-request.ts'

/** `servers`, `transport` and the rest of `RaftClient.connect`, without the codecs. */
export type ClerkOptions = Omit<
  RaftClientOptions<Command, Result, Query, Answer | Page>,
  keyof typeof kvCodecs
>

export interface ScanOptions extends ReadCallOptions {
  /** Of keys in the page, 1 to 4096. Default 1000. A page ends earlier when it has a megabyte. */
  readonly limit?: number
  /** Leaves values out. */
  readonly keysOnly?: boolean
}

/** The next keys of a range, as they are at one moment. */
export interface ScanPage {
  /** The store's at that moment: a watch after it misses nothing. */
  readonly revision: number
  /** In the order of keys. */
  readonly entries: readonly KeyEntry[]
  /** The rest of the range, for another scan; null when there is none. */
  readonly next: KeyRange | null
}

/** {@link KeyOperations}, and ranges of keys: pages of them, and their changes as they come. */
export class Clerk extends KeyOperations implements AsyncDisposable {
  readonly #client: RaftClient<Command, Result, Query, Answer | Page>
  readonly #clock: Clock
  #isClosed = false
  #watches = 0

  private constructor(client: RaftClient<Command, Result, Query, Answer | Page>, clock: Clock) {
    super(client)
    this.#client = client
    this.#clock = clock
  }

  static async connect(options: ClerkOptions): Promise<Clerk> {
    return new Clerk(await RaftClient.connect({ ...options, ...kvCodecs }), options.clock ?? systemClock)
  }

  /** A page of the keys in a range. @throws {KvError} `BAD_RANGE`, `BAD_KEY` */
  async scan(range: KeyRange, options: ScanOptions = {}): Promise<ScanPage> {
    const { limit, keysOnly, ...read } = options
    const scan = scanOf(range, { limit, keysOnly })
    const page = await this.#client.read(scan, read)
    assert('entries' in page, 'a scan is answered with a page')
    const { revision, entries, more } = page
    const last = entries.at(-1)
    const next = more && last !== undefined ? { from: followerOf(last.key), to: scan.to } : null
    return { revision, entries, next }
  }

  /** All keys of a range, page by page; each page is of a later moment than the one before. */
  async *entries(range: KeyRange, options?: ScanOptions): AsyncGenerator<KeyEntry, void, undefined> {
    for (let rest: KeyRange | null = range; rest !== null;) {
      const page: ScanPage = await this.scan(rest, options)
      yield* page.entries
      rest = page.next
    }
  }

  /**
   * The changes of a range, as they come: each once, in the order of their revisions, through reconnections and the death of
   * servers. Ends by `break`, or by its signal. A transaction's come one right after the other.
   *
   * @throws {KvError} `COMPACTED` when changes that it should tell are forgotten: scan, and watch after the page's revision
   * @throws {RaftError} `CANCELLED`, `CLOSED`, `UNAUTHORISED`
   */
  async *watch(range: KeyRange, options: WatchOptions = {}): AsyncGenerator<WatchEvent, void, undefined> {
    const { from, to } = boundsOf(range)
    const first = this.#watches++
    const batches = watchChanges({
      ...{ ...options, from, to, clock: this.#clock, isClosed: () => this.#isClosed },
      open: (request, attempt, callOptions) => {
        const servers = this.#client.clients(WatchService)
        // They begin at different servers.
        const server = servers[(first + attempt) % servers.length]
        if (server === undefined) throw new RpcError('UNREACHABLE', 'no server is connected')
        return server.watch(request, callOptions)
      },
    })
    for await (const batch of batches) yield* batch
  }

  /** What each server says of itself, or why it does not. */
  status(options?: CallOptions): Promise<ServerReport[]> {
    return this.#client.status(options)
  }

  /** Counts since the start. */
  metrics(): ClientMetrics {
    return this.#client.metrics()
  }

  async close(): Promise<void> {
    this.#isClosed = true
    await this.#client.close()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }
}

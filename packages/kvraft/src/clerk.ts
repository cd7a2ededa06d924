/**
 * The store from outside: `Clerk`, the labs' name for its client. Finds the leader, follows it when it changes, repeats
 * what was lost, and still changes everything exactly once. Runs in browsers.
 */
import {
  RaftClient,
  RaftError,
  type ClientMetrics,
  type ClientReadOptions,
  type RaftClientOptions,
  type ServerReport,
  type WaitOptions,
} from '@lab/raft'
import { assert, systemClock, type Clock } from '@lab/rpc'
import { watchChanges, type WatchOptions } from './clerk-watch.ts'
import { kvCodecs } from './codecs.ts'
import type { Command } from './commands.ts'
import { KvError } from './errors.ts'
import type { WatchEvent } from './events.ts'
import { SCAN_LIMIT_MAX } from './limits.ts'
import type { Answer, KeyEntry, Page, Query } from './queries.ts'
import { boundsOf, followerOf, type KeyRange } from './range.ts'
import type { OperationResult, Result } from './results.ts'
import { checkTtl, keyBytes, tooLarge, valueBytes, valueText, type TextOrBytes } from './text.ts'
import { txnOf, type TxnRequest } from './txn-request.ts'

export type { WatchOptions } from './clerk-watch.ts'
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

/** How long to go on trying, in milliseconds, and a signal to call it off. */
export type CallOptions = WaitOptions

/** Besides: how new the answer must be (`consistency`), and of whom to ask it (`from`). Default: linearizable. */
export type ReadCallOptions = ClientReadOptions

export interface PutOptions extends CallOptions {
  /** Milliseconds, from 1: the key goes by itself so long afterwards, never earlier. Default: it stays. */
  readonly ttl?: number
}

/** What a put or an append made. */
export interface Written {
  /** The store's: counts every change of every key, from 1. */
  readonly revision: number
  /** This key's: counts its changes since it came into being, from 1. */
  readonly version: number
}

export interface Deleted {
  readonly revision: number
  /** False when there was nothing to delete. */
  readonly deleted: boolean
}

/** What a key must be for a `cas`: of that version (0: missing), or last changed at that revision, which no other state of it is. */
export type Expected = { readonly version: number } | { readonly changed: number }

/** Whether a `cas` was done. If not, `version` and `changed` tell what is there instead; 0 and 0: nothing. */
export type Swapped =
  | (Written & { readonly swapped: true })
  | { readonly swapped: false; readonly revision: number; readonly version: number; readonly changed: number }

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

export interface TxnDone {
  readonly revision: number
  /** All conditions held, and `then` was done. */
  readonly succeeded: boolean
  /** One for each operation of the branch that was done. */
  readonly results: readonly OperationResult[]
}

const SCAN_LIMIT = 1000

/**
 * Calls of one clerk that run side by side may take effect in any order; awaiting orders them.
 *
 * Every method throws `RaftError` when the cluster did not answer in time; on a write, `outcome` tells whether it
 * certainly did nothing or may have been, or may yet be, applied.
 */
export class Clerk implements AsyncDisposable {
  readonly #client: RaftClient<Command, Result, Query, Answer | Page>
  readonly #clock: Clock
  #isClosed = false
  #watches = 0

  private constructor(client: RaftClient<Command, Result, Query, Answer | Page>, clock: Clock) {
    this.#client = client
    this.#clock = clock
  }

  static async connect(options: ClerkOptions): Promise<Clerk> {
    return new Clerk(await RaftClient.connect({ ...options, ...kvCodecs }), options.clock ?? systemClock)
  }

  /** The value, linearizable: at least as new as every write acknowledged before the call. Undefined when there is no such key. */
  async get(key: TextOrBytes, options?: ReadCallOptions): Promise<Uint8Array | undefined> {
    return (await this.getEntry(key, options)).entry?.value
  }

  /** As {@link get}, for values that are text. @throws {KvError} `NOT_TEXT` when this one is not UTF-8 */
  async getText(key: TextOrBytes, options?: ReadCallOptions): Promise<string | undefined> {
    const value = await this.get(key, options)
    return value === undefined ? undefined : valueText(value)
  }

  /** As {@link get}, with the key's version, when it changed, when it expires, and the store's revision. */
  async getEntry(key: TextOrBytes, options?: ReadCallOptions): Promise<Answer> {
    const answer = await this.#client.read({ op: 'get', key: keyBytes(key) }, options)
    assert('entry' in answer, 'a get is answered with an entry')
    return answer
  }

  /** A page of the keys in a range. @throws {KvError} `BAD_RANGE`, `BAD_KEY` */
  async scan(range: KeyRange, options: ScanOptions = {}): Promise<ScanPage> {
    const { limit = SCAN_LIMIT, keysOnly = false, ...read } = options
    if (!Number.isInteger(limit) || limit < 1 || limit > SCAN_LIMIT_MAX)
      throw new KvError('BAD_RANGE', `limit is a whole number from 1 to ${SCAN_LIMIT_MAX}, not ${limit}`)
    const bounds = boundsOf(range)
    const page = await this.#client.read({ op: 'scan', ...bounds, limit, keysOnly }, read)
    assert('entries' in page, 'a scan is answered with a page')
    const { revision, entries, more } = page
    const last = entries.at(-1)
    const next = more && last !== undefined ? { from: followerOf(last.key), to: bounds.to } : null
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

  /** Sets the value, whatever was there. @throws {KvError} `BAD_KEY`, `BAD_TTL`, `TOO_LARGE` */
  async put(key: TextOrBytes, value: TextOrBytes, { ttl, ...options }: PutOptions = {}): Promise<Written> {
    const pair = { key: keyBytes(key), value: valueBytes(value) }
    return this.#write({ op: 'put', ...pair, ...(ttl === undefined ? {} : { ttl: checkTtl(ttl) }) }, options)
  }

  /** Adds to the end of the value; a missing key counts as an empty one. @throws {KvError} `BAD_KEY`, `TOO_LARGE` */
  async append(key: TextOrBytes, value: TextOrBytes, options?: CallOptions): Promise<Written> {
    return this.#write({ op: 'append', key: keyBytes(key), value: valueBytes(value) }, options)
  }

  async delete(key: TextOrBytes, options?: CallOptions): Promise<Deleted> {
    const { status, revision } = await this.#client.propose({ op: 'delete', key: keyBytes(key) }, options)
    return { revision, deleted: status === 'written' }
  }

  /** Compare and set: sets the value if the key is as expected, else does nothing. @throws {KvError} `BAD_KEY`, `BAD_TTL`, `TOO_LARGE` */
  async cas(
    key: TextOrBytes,
    value: TextOrBytes,
    expected: Expected,
    { ttl, ...options }: PutOptions = {},
  ): Promise<Swapped> {
    const by = 'version' in expected ? 'version' : 'changed'
    const number = 'version' in expected ? expected.version : expected.changed
    if (!Number.isSafeInteger(number) || number < 0)
      throw new RaftError('BAD_REQUEST', `${by} is a whole number from 0 on, not ${number}`, {
        outcome: 'not-applied',
      })
    const pair = { key: keyBytes(key), value: valueBytes(value) }
    const result = await this.#client.propose(
      { op: 'cas', by, expected: number, ...pair, ...(ttl === undefined ? {} : { ttl: checkTtl(ttl) }) },
      options,
    )
    if (result.status === 'conflict') {
      const { revision, version, changed } = result
      return { swapped: false, revision, version, changed }
    }
    assert(result.status === 'written', 'a cas is done or not')
    return { swapped: true, revision: result.revision, version: result.version }
  }

  /** Compares, then changes and reads any keys at once. @throws {KvError} `BAD_TXN`, `BAD_KEY`, `BAD_TTL`, `TOO_LARGE` */
  async txn(request: TxnRequest, options?: CallOptions): Promise<TxnDone> {
    const result = await this.#client.propose(txnOf(request), options)
    if (result.status === 'too-large') throw tooLarge(result.valueBytes)
    assert(result.status === 'txn', 'a transaction is answered as one')
    const { revision, succeeded, results } = result
    return { revision, succeeded, results }
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
    const batches = watchChanges({
      ...{ ...options, from, to, client: this.#client, clock: this.#clock, number: this.#watches++ },
      isClosed: () => this.#isClosed,
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

  async #write(command: Command, options: CallOptions | undefined): Promise<Written> {
    const result = await this.#client.propose(command, options)
    if (result.status === 'too-large') throw tooLarge(result.valueBytes)
    return { revision: result.revision, version: result.status === 'written' ? result.version : 0 }
  }
}

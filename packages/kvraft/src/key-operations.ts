/**
 * What a client does to single keys, whoever finds the server: one cluster's {@link Clerk}, or that of a sharded store. Values in,
 * values out; commands and answers are bytes below.
 */
import { RaftError, type ClientReadOptions, type ProposeOptions, type WaitOptions } from '@lab/raft'
import { assert } from '@lab/rpc'
import type { Command } from './commands.ts'
import type { Answer, Page, Query } from './queries.ts'
import type { OperationResult, Result } from './results.ts'
import { checkTtl, keyBytes, tooLarge, valueBytes, valueText, type TextOrBytes } from './text.ts'
import { txnOf, type TxnRequest } from './txn-request.ts'

/** A way to the store, or to the store of each key. */
export interface KeyClient {
  propose(command: Command, options?: ProposeOptions): Promise<Result>
  read(query: Query, options?: ClientReadOptions): Promise<Answer | Page>
}

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

export interface TxnDone {
  readonly revision: number
  /** All conditions held, and `then` was done. */
  readonly succeeded: boolean
  /** One for each operation of the branch that was done. */
  readonly results: readonly OperationResult[]
}

/**
 * Calls of one client that run side by side may take effect in any order; awaiting orders them.
 *
 * Every method throws `RaftError` when the cluster did not answer in time; on a write, `outcome` tells whether it
 * certainly did nothing or may have been, or may yet be, applied.
 */
export class KeyOperations {
  readonly #client: KeyClient

  constructor(client: KeyClient) {
    this.#client = client
  }

  /** The value, linearizable: at least as new as every write acknowledged before the call. Undefined when there is no such key. */
  async get(key: TextOrBytes, options?: ReadCallOptions): Promise<Uint8Array | undefined> {
    // Not through the function below: each async one costs as much as the store's own work for a get.
    return entryOf(await this.#client.read({ op: 'get', key: keyBytes(key) }, options)).entry?.value
  }

  /** As {@link get}, for values that are text. @throws {KvError} `NOT_TEXT` when this one is not UTF-8 */
  async getText(key: TextOrBytes, options?: ReadCallOptions): Promise<string | undefined> {
    const value = await this.get(key, options)
    return value === undefined ? undefined : valueText(value)
  }

  /** As {@link get}, with the key's version, when it changed, when it expires, and the store's revision. */
  async getEntry(key: TextOrBytes, options?: ReadCallOptions): Promise<Answer> {
    return entryOf(await this.#client.read({ op: 'get', key: keyBytes(key) }, options))
  }

  /** Sets the value, whatever was there. @throws {KvError} `BAD_KEY`, `BAD_TTL`, `TOO_LARGE` */
  async put(key: TextOrBytes, value: TextOrBytes, options?: PutOptions): Promise<Written> {
    const put = { op: 'put', key: keyBytes(key), value: valueBytes(value) } as const
    const ttl = options?.ttl
    // Not through a function of its own, as few copies as can be: the client of a busy store does little else.
    const command = ttl === undefined ? put : { ...put, ttl: checkTtl(ttl) }
    return written(await this.#client.propose(command, options))
  }

  /** Adds to the end of the value; a missing key counts as an empty one. @throws {KvError} `BAD_KEY`, `TOO_LARGE` */
  async append(key: TextOrBytes, value: TextOrBytes, options?: CallOptions): Promise<Written> {
    const command = { op: 'append', key: keyBytes(key), value: valueBytes(value) } as const
    return written(await this.#client.propose(command, options))
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
}

function entryOf(answer: Answer | Page): Answer {
  assert('entry' in answer, 'a get is answered with an entry')
  return answer
}

/** @throws {KvError} `TOO_LARGE` */
function written(result: Result): Written {
  if (result.status === 'too-large') throw tooLarge(result.valueBytes)
  return { revision: result.revision, version: result.status === 'written' ? result.version : 0 }
}

/**
 * The store from outside: `Clerk`, the labs' name for its client. Finds the leader, follows it when it changes, repeats
 * what was lost, and still changes everything exactly once. Runs in browsers.
 */
import {
  RaftClient,
  type ClientMetrics,
  type RaftClientOptions,
  type ServerReport,
  type WaitOptions,
} from '@lab/raft'
import { kvCodecs } from './codecs.ts'
import type { Command } from './commands.ts'
import type { Answer, Page, Query } from './queries.ts'
import type { Result } from './results.ts'
import { keyBytes, tooLarge, valueBytes, valueText, type TextOrBytes } from './text.ts'

export { KvError, type KvErrorCode } from './errors.ts'
export { KEY_BYTES_MAX, VALUE_BYTES_MAX } from './limits.ts'
export type { Answer, Entry } from './queries.ts'
export type { TextOrBytes } from './text.ts'

/** `servers`, `transport` and the rest of `RaftClient.connect`, without the codecs. */
export type ClerkOptions = Omit<
  RaftClientOptions<Command, Result, Query, Answer | Page>,
  keyof typeof kvCodecs
>

/** How long to go on trying, in milliseconds, and a signal to call it off. */
export type CallOptions = WaitOptions

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

/**
 * Calls of one clerk that run side by side may take effect in any order; awaiting orders them.
 *
 * Every method throws `RaftError` when the cluster did not answer in time; on a write, `outcome` tells whether it
 * certainly did nothing or may have been, or may yet be, applied.
 */
export class Clerk implements AsyncDisposable {
  readonly #client: RaftClient<Command, Result, Query, Answer | Page>

  private constructor(client: RaftClient<Command, Result, Query, Answer | Page>) {
    this.#client = client
  }

  static async connect(options: ClerkOptions): Promise<Clerk> {
    return new Clerk(await RaftClient.connect({ ...options, ...kvCodecs }))
  }

  /** The value, linearizable: at least as new as every write acknowledged before the call. Undefined when there is no such key. */
  async get(key: TextOrBytes, options?: CallOptions): Promise<Uint8Array | undefined> {
    return (await this.getEntry(key, options)).entry?.value
  }

  /** As {@link get}, for values that are text. @throws {KvError} `NOT_TEXT` when this one is not UTF-8 */
  async getText(key: TextOrBytes, options?: CallOptions): Promise<string | undefined> {
    const value = await this.get(key, options)
    return value === undefined ? undefined : valueText(value)
  }

  /** As {@link get}, with the key's version, when it changed, and the store's revision. */
  async getEntry(key: TextOrBytes, options?: CallOptions): Promise<Answer> {
    return (await this.#client.read({ op: 'get', key: keyBytes(key) }, options)) as Answer
  }

  /** Sets the value, whatever was there. @throws {KvError} `BAD_KEY`, `TOO_LARGE` */
  async put(key: TextOrBytes, value: TextOrBytes, options?: CallOptions): Promise<Written> {
    return this.#write({ op: 'put', key: keyBytes(key), value: valueBytes(value) }, options)
  }

  /** Adds to the end of the value; a missing key counts as an empty one. @throws {KvError} `BAD_KEY`, `TOO_LARGE` */
  async append(key: TextOrBytes, value: TextOrBytes, options?: CallOptions): Promise<Written> {
    return this.#write({ op: 'append', key: keyBytes(key), value: valueBytes(value) }, options)
  }

  async delete(key: TextOrBytes, options?: CallOptions): Promise<Deleted> {
    const { status, revision } = await this.#client.propose({ op: 'delete', key: keyBytes(key) }, options)
    return { revision, deleted: status === 'written' }
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

/** The clerk's end of a watch: goes from server to server, and tells every change once and in order all the same. */
import { RaftError } from '@lab/raft'
import { RpcError, sleep, toError, type CallOptions, type Clock, type Milliseconds } from '@lab/rpc'
import { KvError } from './errors.ts'
import type { WatchEvent } from './events.ts'
import type { Bounds } from './range.ts'
import { decodeWatchItem, type WatchRequest } from './watch-service.ts'

const RETRY_MS_MIN: Milliseconds = 20
const RETRY_MS_MAX: Milliseconds = 1000

export interface WatchOptions {
  /** A revision: changes after it are told, such as those since a {@link Clerk.scan}. Default: changes from now on. */
  readonly after?: number
  /** Ends the watch, with `CANCELLED`. */
  readonly signal?: AbortSignal
  /** Called with the revision up to which all changes have been told, also while the keys do not change: a place to come back to. */
  readonly onProgress?: (revision: number) => void
}

export interface ClerkWatchOptions extends Bounds, WatchOptions {
  /** Opens the watch at some server, another one with each attempt. @throws {RpcError} when there is none */
  readonly open: (
    request: WatchRequest,
    attempt: number,
    options: Pick<CallOptions, 'signal'>,
  ) => AsyncIterable<Uint8Array>
  readonly clock: Clock
  readonly isClosed: () => boolean
}

/**
 * Batches of changes, in the order of their revisions, without end.
 *
 * @throws {KvError} `COMPACTED` @throws {RaftError} `CANCELLED`, `CLOSED`, `UNAUTHORISED`
 */
export async function* watchChanges(
  options: ClerkWatchOptions,
): AsyncGenerator<readonly WatchEvent[], void, undefined> {
  const { open, clock, from, to, signal, onProgress } = options
  let through = options.after ?? null
  let retry = RETRY_MS_MIN
  for (let attempt = 0; ; attempt++) {
    try {
      if (signal?.aborted === true) throw new RpcError('CANCELLED', 'the watch was called off')
      const items = open({ from, to, after: through }, attempt, signal === undefined ? {} : { signal })
      for await (const bytes of items) {
        const item = decodeWatchItem(bytes)
        retry = RETRY_MS_MIN
        const known = through ?? 0
        through = Math.max(known, item.through)
        const fresh = item.events.filter(({ revision }) => revision > known)
        if (fresh.length > 0) yield fresh
        onProgress?.(through)
      }
    } catch (thrown) {
      const error = lasting(thrown, options)
      if (error !== null) throw error
    }
    await sleep(clock, retry, signal).catch(() => undefined)
    retry = Math.min(retry * 2, RETRY_MS_MAX)
  }
}

/** What another attempt would not change; null for all that it may. */
function lasting(thrown: unknown, { signal, isClosed }: ClerkWatchOptions): Error | null {
  if (signal?.aborted === true)
    return new RaftError('CANCELLED', 'the watch was called off', { cause: signal.reason })
  if (isClosed()) return new RaftError('CLOSED', 'the clerk was closed')
  if (!(thrown instanceof RpcError)) return toError(thrown)
  if (thrown.remoteCode === 'COMPACTED') {
    const { firstRevision } = (thrown.details ?? {}) as { readonly firstRevision?: number }
    return new KvError('COMPACTED', thrown.message, {
      cause: thrown,
      ...(firstRevision === undefined ? {} : { firstRevision }),
    })
  }
  if (thrown.code === 'UNAUTHORISED') return new RaftError('UNAUTHORISED', thrown.message, { cause: thrown })
  const isForGood = ['NO_SUCH_METHOD', 'PROTOCOL', 'BAD_REQUEST'].includes(thrown.code)
  return isForGood ? thrown : null
}

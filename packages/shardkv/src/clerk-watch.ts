/** A watch over several shards: one of kvraft's for each, which follows its shard from group to group. */
import type { KeyRange, WatchEvent } from '@lab/kvraft/clerk'
import { boundsOf, followerOf, watchChanges } from '@lab/kvraft/parts'
import { compareBytes } from '@lab/kvraft/parts'
import { RpcError, onAbort, toError, type Clock } from '@lab/rpc'
import { NOBODY, shardOf } from '@lab/shardctrler'
import type { ConfigCache } from './config-cache.ts'
import type { GroupClients } from './group-clients.ts'
import { ShardService } from './shard-service.ts'

export interface ShardWatchOptions {
  /** By shard: changes after that revision are told. Of shards that are not named: changes from now on. */
  readonly after?: Readonly<Record<number, number>>
  /** Ends the watch, with `CANCELLED`. */
  readonly signal?: AbortSignal
  /** Called with the revision up to which all changes of a shard have been told: together a place to come back to. */
  readonly onProgress?: (shard: number, revision: number) => void
}

export type ShardWatchEvent = WatchEvent & { readonly shard: number }

export interface WatchShardsOptions {
  readonly configs: ConfigCache
  readonly groups: GroupClients
  readonly clock: Clock
  readonly isClosed: () => boolean
}

export async function* watchShards(
  range: KeyRange,
  { after = {}, signal, onProgress }: ShardWatchOptions,
  { configs, groups, clock, isClosed }: WatchShardsOptions,
): AsyncGenerator<ShardWatchEvent, void, undefined> {
  const { from, to } = boundsOf(range)
  const { shards } = configs.config
  const ended = new AbortController()
  const off = signal === undefined ? null : onAbort(signal, () => ended.abort(signal.reason))
  if (signal?.aborted === true) ended.abort(signal.reason)
  const one = isOneKey(from, to)
  const watched = one ? [shardOf(configs.config, from)] : shards.map((_, shard) => shard)
  const merge = new Merge<ShardWatchEvent>()
  for (const shard of watched) {
    const known = after[shard]
    const batches = watchChanges({
      ...{ from, to, clock, isClosed, signal: ended.signal },
      ...(known === undefined ? {} : { after: known }),
      onProgress: (revision) => onProgress?.(shard, revision),
      open: (request, attempt, options) => {
        const { config } = configs
        const gid = config.shards[shard] ?? NOBODY
        const servers = groups.of({ gid, servers: config.groups[gid] ?? [] })?.clients(ShardService) ?? []
        const server = servers[(shard + attempt) % servers.length]
        // It may have moved.
        if (attempt > 0) void configs.refresh()
        if (server === undefined)
          throw new RpcError('UNREACHABLE', `no server of shard ${shard} is connected`)
        return server.watch({ gid, shard, request }, options)
      },
    })
    void merge.add(batches, (event) => ({ ...event, shard }))
  }
  try {
    yield* merge.items()
  } finally {
    off?.()
    ended.abort(new RpcError('CANCELLED', 'the watch was ended'))
  }
}

/** Only its reader's place bounds it: each source waits until what it gave is taken. */
class Merge<T> {
  readonly #ready: { readonly items: readonly T[]; readonly taken: () => void }[] = []
  #wake: () => void = () => undefined
  #error: Error | null = null

  async add<S>(source: AsyncIterable<readonly S[]>, map: (item: S) => T): Promise<void> {
    try {
      for await (const items of source) {
        await new Promise<void>((taken) => {
          this.#ready.push({ items: items.map(map), taken })
          this.#wake()
        })
      }
    } catch (thrown) {
      this.#error ??= toError(thrown)
      this.#wake()
    }
  }

  async *items(): AsyncGenerator<T, void, undefined> {
    for (;;) {
      const next = this.#ready.shift()
      if (next !== undefined) {
        yield* next.items
        next.taken()
      } else if (this.#error !== null) throw this.#error
      else
        await new Promise<void>((resolve) => {
          this.#wake = resolve
        })
    }
  }
}

function isOneKey(from: Uint8Array, to: Uint8Array): boolean {
  return from.length > 0 && to.length === from.length + 1 && compareBytes(to, followerOf(from)) === 0
}

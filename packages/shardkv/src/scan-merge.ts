import type { KeyEntry, KeyRange, ReadCallOptions } from '@lab/kvraft/clerk'
import { compareBytes, followerOf, scanOf } from '@lab/kvraft/parts'
import { assert } from '@lab/rpc'
import type { Scan } from '@lab/kvraft'
import type { ShardClient } from './shard-client.ts'

export interface ShardScanOptions extends ReadCallOptions {
  /** Of `scan`: how many keys. Of `entries`: how many are fetched from a shard at a time, 1 to 4096; fewer when there are many shards. */
  readonly limit?: number
  /** Leaves values out. */
  readonly keysOnly?: boolean
}

/** Shards that are asked at the same time. */
const ASKED_AT_ONCE = 16
const PAGE_ENTRIES = 1000

/** One shard's keys, as far as they are fetched. */
interface Source {
  readonly shard: number
  entries: readonly KeyEntry[]
  at: number
  /** Where the next page begins; null: there is none. */
  from: Uint8Array | null
}

/** Keys of all shards, merged in order. A key is in one shard only, whatever moves: a shard's pages go on after its own last key. */
export class ScanMerge {
  readonly #client: ShardClient
  readonly #sources: Source[]
  readonly #scan: Scan
  readonly #read: ReadCallOptions

  constructor(client: ShardClient, shards: number, range: KeyRange, options: ShardScanOptions = {}) {
    const { limit = PAGE_ENTRIES, keysOnly, ...read } = options
    this.#client = client
    this.#read = read
    // Each shard has its part of the keys, about.
    const perShard = Math.min(limit, Math.max(16, Math.ceil((2 * limit) / shards)), 4096)
    this.#scan = scanOf(range, { limit: perShard, keysOnly })
    this.#sources = Array.from({ length: shards }, (_, shard) => ({
      ...{ shard, entries: [], at: 0, from: this.#scan.from },
    }))
  }

  async *entries(): AsyncGenerator<KeyEntry, void, undefined> {
    const sources = this.#sources
    for (let at = 0; at < sources.length; at += ASKED_AT_ONCE)
      await Promise.all(sources.slice(at, at + ASKED_AT_ONCE).map((source) => this.#fetch(source)))
    for (;;) {
      let least: Source | null = null
      for (const source of sources) {
        if (source.at === source.entries.length) await this.#fetch(source)
        const entry = source.entries[source.at]
        if (entry === undefined) continue
        if (least === null || compareBytes(entry.key, headOf(least).key) < 0) least = source
      }
      if (least === null) return
      yield headOf(least)
      least.at++
    }
  }

  async #fetch(source: Source): Promise<void> {
    const { from } = source
    if (from === null) return
    const page = await this.#client.readShard(source.shard, { ...this.#scan, from }, this.#read)
    assert('entries' in page, 'a scan is answered with a page')
    source.entries = page.entries
    source.at = 0
    const last = page.entries.at(-1)
    source.from = page.more && last !== undefined ? followerOf(last.key) : null
  }
}

function headOf({ entries, at }: Source): KeyEntry {
  return entries[at] as KeyEntry
}

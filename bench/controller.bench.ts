/** What a controller and a clerk cost with few shards and with many, with a key in each and full: they should not feel it. */
import { shardOf, type Config } from '@lab/shardctrler/clerk'
import type { Benchmark, BenchmarkOptions, Row } from './benchmark.ts'
import { closedLoop } from './cluster/load.ts'
import { residentOf } from './cluster/server-process.ts'
import { ShardedCluster } from './cluster/sharded-cluster.ts'

const SHARDS = [10, 1000]
const GROUPS = 2
const KEYS_PER_SHARD = 10_000
/** In one transaction, all of one shard: writing them one by one would take most of an hour. */
const KEYS_PER_TXN = 128
const CALLERS = 16
const VALUE_BYTES = 16
const MEASURE_SHARE = 0.3
/** Of the seconds, for filling the larger number of shards, and a tenth of it for the smaller; what is not written by then is left out. */
const FILL_SHARE = 0.6
const MEASURE_MS_MAX = 5000

export const benchmark: Benchmark = {
  title: `Controller and clerk with ${SHARDS.join(' and ')} shards on three processes, with one key and with up to ${String(KEYS_PER_SHARD)} keys × ${String(VALUE_BYTES)} B each: one call at a time`,
  byName:
    '--seconds 600 for as many of ten million keys as are written in six minutes; all of them take some 5 GB of memory',
  async run(options) {
    const rows: Row[] = []
    for (const shards of SHARDS) rows.push(...(await measure(shards, options)))
    return rows
  },
}

async function measure(shards: number, { seconds, log }: BenchmarkOptions): Promise<Row[]> {
  const measureMs = Math.min(MEASURE_MS_MAX, (seconds * 1000 * MEASURE_SHARE) / SHARDS.length / 6)
  const cluster = await ShardedCluster.start(GROUPS, shards)
  const [clerk, controller] = [await cluster.clerk(), await cluster.controller()]
  const value = new Uint8Array(VALUE_BYTES).fill(120)
  const tags = tagsOf(clerk.config)
  const keyOf = (n: number): string => `{${String(tags[n % shards])}}${String(Math.floor(n / shards))}`
  const row = async (state: string, count: number): Promise<Row> => {
    const times = { warmupMs: measureMs / 5, measureMs }
    const random = (n: number): string => keyOf((n * 7919) % count)
    const queries = await closedLoop(() => controller.query(), 1, times)
    const gets = await closedLoop((n) => clerk.get(random(n)), 1, times)
    const puts = await closedLoop((n) => clerk.put(random(n), value), 1, times)
    return {
      ...{ shards, state, keys: count, 'query p50 ms': queries.p50, 'query p99 ms': queries.p99 },
      ...{ 'get p50 ms': gets.p50, 'get p99 ms': gets.p99, 'put p50 ms': puts.p50, 'put p99 ms': puts.p99 },
      'resident MB': residentOf(cluster.servers),
    }
  }
  try {
    // Its first write to a shard opens a session with it.
    await eachShard(shards, (shard) => clerk.put(keyOf(shard), value))
    const first = await row('a key a shard', shards)
    const end = performance.now() + seconds * 1000 * FILL_SHARE * Math.max(shards / Math.max(...SHARDS), 0.1)
    let keys = 0
    while (keys < KEYS_PER_SHARD && performance.now() < end) {
      const count = Math.min(KEYS_PER_TXN, KEYS_PER_SHARD - keys)
      const from = keys
      await eachShard(shards, (shard) =>
        clerk.txn({
          then: Array.from({ length: count }, (_, n) => ({
            op: 'put',
            key: keyOf((from + n) * shards + shard),
            value,
          })),
        }),
      )
      keys += count
    }
    log(`${String(shards)} shards: ${String(keys * shards)} keys written`)
    return [first, await row('full', keys * shards)]
  } finally {
    await Promise.all([clerk.close(), controller.close()])
    await cluster.stop()
  }
}

async function eachShard(shards: number, work: (shard: number) => Promise<unknown>): Promise<void> {
  let next = 0
  const caller = async (): Promise<void> => {
    for (let shard = next++; shard < shards; shard = next++) await work(shard)
  }
  await Promise.all(Array.from({ length: CALLERS }, caller))
}

/** A tag for each shard, by its number. */
function tagsOf(config: Config): number[] {
  const tags: number[] = []
  const text = new TextEncoder()
  for (let tag = 0, left = config.shards.length; left > 0; tag++) {
    const shard = shardOf(config, text.encode(`{${String(tag)}}`))
    if (tags[shard] !== undefined) continue
    tags[shard] = tag
    left--
  }
  return tags
}

/** What sharding costs and brings: more groups, more shards, and a clerk that knows an old configuration. */
import type { Benchmark, Row } from './benchmark.ts'
import { shardOf } from '@lab/shardctrler/clerk'
import { closedLoop } from './cluster/load.ts'
import { cpuSecondsOf, residentOf } from './cluster/server-process.ts'
import { FIRST_GID, ShardedCluster } from './cluster/sharded-cluster.ts'
import { median } from './statistics.ts'

/** Groups and shards of each cluster that is measured. */
const SIZES = [
  [1, 64],
  [2, 64],
  [4, 64],
  [2, 10],
  [2, 1000],
] as const
const IN_FLIGHT = 256
const KEYS_PER_SHARD = 10_000
const MOVES = 20
const QUERIES_PART = 0.2
/** Servers become cheaper for some hundred thousand puts: what is measured has run for a while. */
const LEARNING_PART = 0.4
const START_SECONDS = 6
const VALUE = new Uint8Array(256).fill(120)

export const benchmark: Benchmark = {
  title: `Shards on three processes: puts of 256 B, ${String(IN_FLIGHT)} in flight; one query of the controller at a time; a put by a clerk whose shard has moved`,
  byName: '--seconds 150; with more, up to 10 000 keys a shard are written',
  async run({ seconds, log }) {
    const rows: Row[] = []
    const each = Math.max(3, seconds / SIZES.length - START_SECONDS) * 1000
    for (const [groups, shards] of SIZES) {
      rows.push(await measure(groups, shards, each))
      log(`${String(groups)} groups, ${String(shards)} shards done`)
    }
    return rows
  },
}

async function measure(groups: number, shards: number, milliseconds: number): Promise<Row> {
  const cluster = await ShardedCluster.start(groups, shards)
  const [clerk, controller] = [await cluster.clerk(), await cluster.controller()]
  try {
    const keys = KEYS_PER_SHARD * shards
    const put = (n: number): Promise<unknown> => clerk.put(`key-${String(n % keys)}`, VALUE)
    await closedLoop(put, IN_FLIGHT, { warmupMs: 0, measureMs: milliseconds * LEARNING_PART })
    const measureMs = milliseconds * (1 - LEARNING_PART - QUERIES_PART)
    const before = cpuSecondsOf(cluster.servers)
    const puts = await closedLoop(put, IN_FLIGHT, { warmupMs: 0, measureMs })
    const micros = ((cpuSecondsOf(cluster.servers) - before) * 1e9) / (puts.perSecond * measureMs)
    const queries = await closedLoop(() => controller.query(), 1, {
      ...{ warmupMs: 200, measureMs: milliseconds * QUERIES_PART },
    })
    const { direct, redirected } = groups === 1 ? { direct: '', redirected: '' } : await redirects(cluster)
    return {
      ...{ groups, shards, 'puts/s': puts.perSecond, 'p50 ms': puts.p50, 'p99 ms': puts.p99 },
      ...{
        'CPU µs a put': micros,
        'keys written': Math.min(keys, (puts.perSecond * (measureMs + milliseconds * LEARNING_PART)) / 1000),
      },
      ...{ 'query p50 ms': queries.p50, 'query p99 ms': queries.p99 },
      ...{
        'put p50 ms': direct,
        'redirected p50 ms': redirected,
        'resident MB': residentOf(cluster.servers),
      },
    }
  } finally {
    await Promise.all([clerk.close(), controller.close()])
    await cluster.stop()
  }
}

/** The same put by one who knows where the shard is, and by one who learns that it has moved, when it has long arrived. */
async function redirects(cluster: ShardedCluster): Promise<{ direct: number; redirected: number }> {
  const [clerk, controller] = [await cluster.clerk(), await cluster.controller()]
  const timed = async (): Promise<number> => {
    const begun = performance.now()
    await clerk.put('moved', VALUE)
    return performance.now() - begun
  }
  const [direct, redirected]: [number[], number[]] = [[], []]
  const shard = shardOf(clerk.config, new TextEncoder().encode('moved'))
  for (let move = 0; move < MOVES; move++) {
    await timed()
    direct.push(await timed())
    const gid = clerk.config.shards[shard] === FIRST_GID ? FIRST_GID + 1 : FIRST_GID
    await controller.move(shard, gid)
    await cluster.settled(controller)
    redirected.push(await timed())
  }
  await Promise.all([clerk.close(), controller.close()])
  return { direct: median(direct), redirected: median(redirected) }
}

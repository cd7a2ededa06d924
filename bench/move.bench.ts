/** A large shard moves from group to group while others are written; beside it, Redis Cluster moves as many keys. */
import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { shardOf, type Clerk as Controller, type Config } from '@lab/shardctrler/clerk'
import type { Benchmark, BenchmarkOptions, Row } from './benchmark.ts'
import type { LoadResult } from './cluster/load.ts'
import { residentOf } from './cluster/server-process.ts'
import type { ShardLoad, ShardLoadOrder } from './cluster/shard-load-process.ts'
import { FIRST_GID, ShardedCluster } from './cluster/sharded-cluster.ts'
import { reshard } from './peers/redis-cluster.ts'

const KEYS_MAX = 1_000_000
/** Fewer when there is less time than a slow machine needs to write them. */
const KEYS_PER_SECOND = 5000
const CALLERS = 256
const VALUE = new Uint8Array(256).fill(120)
const SHARDS = 16
/** Puts a second to shards that stay: about a tenth of what the machine can do. */
const PACE = 1000
/** Before each move, so long, or a quarter of the time there is: a few seconds with or without a collection differ by twice. */
const CALM_MS_MAX = 30_000
/** Who asks more often is a load himself. */
const POLL_MS = 100
/** There, back and there again: what else the machine does is in one of them more than in the others. */
const MOVES = 3
const GOAL = 1.5

export const benchmark: Benchmark = {
  title: `A shard of up to ${String(KEYS_MAX)} keys × 256 B moves under ${String(PACE)} puts/s to shards that stay: their p99 meanwhile`,
  byName: '--seconds 220 for 256 MB; --peers redis',
  async run(options) {
    const keys = Math.min(KEYS_MAX, Math.floor(options.seconds * KEYS_PER_SECOND))
    const rows = await ours(keys, options)
    const redis = options.peers.get('redis')
    if (redis === undefined) return rows
    options.log('now Redis, slot by slot')
    const moved = await reshard(redis, keys, VALUE)
    return [...rows, row('redis, two servers', { keys: moved.keys, seconds: moved.seconds })]
  },
}

async function ours(keys: number, { log, seconds }: BenchmarkOptions): Promise<Row[]> {
  const cluster = await ShardedCluster.start(2, SHARDS)
  const [clerk, controller] = [await cluster.clerk(), await cluster.controller()]
  let loader: ChildProcess | undefined
  try {
    const { config } = clerk
    const shard = shardOf(config, bytes('{big}'))
    const others = keysElsewhere(config, shard)
    let next = 0
    const caller = async (): Promise<void> => {
      while (next < keys) await clerk.put(`{big}${String(next++).padStart(9, '0')}`, VALUE)
    }
    await Promise.all(Array.from({ length: CALLERS }, caller))
    log(`${String(keys)} keys written, resident ${residentOf(cluster.servers)} MB`)
    const load: ShardLoad = {
      ...{ controllers: cluster.addresses, keys: others },
      ...{ perSecond: PACE, calmMs: Math.min(CALM_MS_MAX, seconds * 250) },
    }
    loader = fork(join(import.meta.dirname, 'cluster', 'shard-load-process.ts'), [JSON.stringify(load)])
    await once(loader, 'message')
    const rows: Row[] = []
    for (let move = 1; move <= MOVES; move++) {
      const { took, before, during } = await moveUnderLoad({ cluster, controller, loader, shard })
      log(
        `move ${String(move)} of ${String(MOVES)}: ${took.toFixed(1)} s, p99 ${before.p99.toFixed(1)} ms before, ${during.p99.toFixed(1)} ms during`,
      )
      rows.push({
        ...row(`@lab, move ${String(move)}`, { keys, seconds: took }),
        ...{ 'p50 ms before': before.p50, 'p50 ms during': during.p50 },
        ...{ 'p99 ms before': before.p99, 'p99 ms during': during.p99 },
        ...{ 'during : before': during.p99 / before.p99, goal: `≤ ${String(GOAL)}` },
        'resident MB': residentOf(cluster.servers),
      })
    }
    return rows
  } finally {
    loader?.kill()
    await Promise.all([clerk.close(), controller.close()])
    await cluster.stop()
  }
}

interface Under {
  readonly cluster: ShardedCluster
  readonly controller: Controller
  /** Writes to shards that stay. */
  readonly loader: ChildProcess
  readonly shard: number
}

/** To the group that does not have it. @returns latencies of the puts to other shards just before and meanwhile */
async function moveUnderLoad({ cluster, controller, loader, shard }: Under): Promise<{
  /** Seconds. */
  readonly took: number
  readonly before: LoadResult
  readonly during: LoadResult
}> {
  const tell = (order: ShardLoadOrder): unknown => loader.send(order)
  const over = new AbortController()
  loader.once('exit', () => {
    over.abort(new Error('the process with the load has ended'))
  })
  const told = async (): Promise<LoadResult> =>
    ((await once(loader, 'message', { signal: over.signal })) as [LoadResult])[0]
  tell('calm')
  const before = await told()
  const { shards } = await controller.query()
  tell('begin')
  const begun = performance.now()
  await controller.move(shard, shards[shard] === FIRST_GID ? FIRST_GID + 1 : FIRST_GID)
  await cluster.settled(controller, POLL_MS)
  const took = (performance.now() - begun) / 1000
  tell('end')
  return { took, before, during: await told() }
}

function row(by: string, { keys, seconds }: { keys: number; seconds: number }): Row {
  return {
    ...{ by, 'keys moved': keys, seconds },
    ...{ 'keys/s': keys / seconds, 'MB/s': (keys * VALUE.length) / 1e6 / seconds },
    ...{ 'p50 ms before': '', 'p50 ms during': '', 'p99 ms before': '', 'p99 ms during': '' },
    ...{ 'during : before': '', goal: '', 'resident MB': '' },
  }
}

function keysElsewhere(config: Config, shard: number): string[] {
  return Array.from({ length: 2000 }, (_, n) => `other-${String(n)}`).filter(
    (key) => shardOf(config, bytes(key)) !== shard,
  )
}

function bytes(text: string): Uint8Array {
  return new TextEncoder().encode(text)
}

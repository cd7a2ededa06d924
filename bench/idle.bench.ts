/** What a sharded store costs that nobody uses: three machines, each with a replica of every group, while nothing is asked of them. */
import { setTimeout as sleep } from 'node:timers/promises'
import type { Benchmark, Row } from './benchmark.ts'
import { cpuSecondsOf, residentOf, writesOf } from './cluster/server-process.ts'
import { ShardedCluster } from './cluster/sharded-cluster.ts'

/** Of shards, and as many shards, besides the controller's. */
const GROUPS = [1, 100, 1000]
const SETTLE_MS = 5000
const GOAL_PERCENT = 5

export const benchmark: Benchmark = {
  title: `Idle groups of shards on three processes: processor time of each, and writes to sockets and files; goal below ${String(GOAL_PERCENT)} % of a core`,
  byName: '--seconds 300',
  async run({ seconds, log }) {
    const rows: Row[] = []
    for (const groups of GROUPS) {
      rows.push(await measure(groups, (seconds * 1000) / GROUPS.length / 4))
      log(`${String(groups)} groups done`)
    }
    return rows
  },
}

async function measure(groups: number, millis: number): Promise<Row> {
  const begun = performance.now()
  const cluster = await ShardedCluster.start(groups, Math.max(groups, 10))
  const { servers } = cluster
  try {
    const startSeconds = (performance.now() - begun) / 1000
    await sleep(SETTLE_MS)
    const [cpu, before, at] = [cpuSecondsOf(servers), writesOf(servers), performance.now()]
    await sleep(millis)
    const took = (performance.now() - at) / 1000
    const after = writesOf(servers)
    return {
      ...{ groups, 'start s': startSeconds },
      'CPU % of a core each': ((cpuSecondsOf(servers) - cpu) * 100) / took / servers.length,
      'writes/s each': (after.count - before.count) / took / servers.length,
      'bytes/s each': (after.bytes - before.bytes) / took / servers.length,
      'resident MB': residentOf(servers),
    }
  } finally {
    await cluster.stop()
  }
}

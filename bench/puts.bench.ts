import { Clerk } from '@lab/kvraft/clerk'
import { tcp } from '@lab/rpc/tcp'
import type { Benchmark, Row } from './benchmark.ts'
import { closedLoop } from './cluster/load.ts'
import { startCluster, type Cluster } from './cluster/processes.ts'

const IN_FLIGHT = [1, 16, 64, 256, 1000]
const IDLE_MS = 5000

/** Every put is on the disks of a majority before it is answered; client and servers share the machine. */
export const benchmark: Benchmark = {
  title: 'Durable puts, 256 B, three server processes and one client process over TCP; then the cluster idle',
  async run({ seconds }) {
    const cluster = await startCluster(3)
    try {
      const clerk = await Clerk.connect({ servers: [...cluster.addresses], transport: tcp() })
      const share = (seconds * 1000 - IDLE_MS - 4000) / IN_FLIGHT.length
      const rows: Row[] = []
      for (const inFlight of IN_FLIGHT) rows.push(await measure(cluster, clerk, inFlight, share))
      await clerk.close()
      rows.push(await idle(cluster))
      return rows
    } finally {
      await cluster.stop()
    }
  },
}

async function measure(cluster: Cluster, clerk: Clerk, inFlight: number, milliseconds: number): Promise<Row> {
  const warmupMs = Math.min(1500, milliseconds / 3)
  const before = cpuSeconds(cluster)
  const clientBefore = process.cpuUsage()
  const { operations, seconds, p50, p99 } = await closedLoop(clerk, inFlight, {
    warmupMs,
    measureMs: milliseconds - warmupMs,
  })
  const client = process.cpuUsage(clientBefore)
  const elapsed = milliseconds / 1000
  return {
    'in flight': String(inFlight),
    'puts/s': operations / seconds,
    'p50 ms': p50,
    'p99 ms': p99,
    'CPU % of each server': percentages(before, cpuSeconds(cluster), elapsed),
    'CPU % of the client': (client.user + client.system) / 1e4 / elapsed,
    'resident MB': resident(cluster),
  }
}

async function idle(cluster: Cluster): Promise<Row> {
  // The last heartbeats of the load, and the collector, are none of it.
  await new Promise((resolve) => setTimeout(resolve, 1000))
  const before = cpuSeconds(cluster)
  await new Promise((resolve) => setTimeout(resolve, IDLE_MS))
  return {
    'in flight': 'idle',
    'puts/s': 0,
    'p50 ms': 0,
    'p99 ms': 0,
    'CPU % of each server': percentages(before, cpuSeconds(cluster), IDLE_MS / 1000),
    'CPU % of the client': 0,
    'resident MB': resident(cluster),
  }
}

function cpuSeconds(cluster: Cluster): number[] {
  return cluster.usage()?.map((usage) => usage.cpuSeconds) ?? []
}

function percentages(before: readonly number[], after: readonly number[], seconds: number): string {
  if (after.length === 0) return 'unknown here'
  return after.map((cpu, at) => (((cpu - (before[at] ?? 0)) / seconds) * 100).toFixed(1)).join(' ')
}

function resident(cluster: Cluster): string {
  return (
    cluster
      .usage()
      ?.map(({ residentBytes }) => Math.round(residentBytes / 2 ** 20))
      .join(' ') ?? 'unknown here'
  )
}

/** Durable puts: on the disks of a majority before they are answered. Beside us, on the same disk: etcd, and Redis alone. */
import { setTimeout as sleep } from 'node:timers/promises'
import type { Benchmark, Row } from './benchmark.ts'
import { cpuSecondsOf, residentOf } from './cluster/server-process.ts'
import { startContenders, type Contender } from './peers/contenders.ts'
import { contest } from './peers/contest.ts'
import { RECORDED } from './peers/recorded.ts'

const IDLE_MS = 5000
/** Of the time for measuring, with etcd's best pace for us. */
const PACED_PART = 0.1
const PACED_GOAL_MS = 15

export const benchmark: Benchmark = {
  title:
    'Durable puts, 256 B, three server processes and one client process each over TCP; then at the best pace of etcd, then idle. Peers: etcd,redis',
  async run({ seconds, peers, log }) {
    const contenders = await startContenders(peers)
    try {
      const [ours] = contenders
      if (ours === undefined) return []
      const milliseconds = Math.max(5, seconds - 10) * 1000
      const { rows, etcdPeak } = await contest('puts', contenders, milliseconds * (1 - PACED_PART), { log })
      const pace = Math.max(etcdPeak, ...Object.values(RECORDED.etcd.puts))
      rows.push(await paced(ours, pace, milliseconds * PACED_PART))
      for (const contender of contenders) rows.push(await idle(contender))
      return rows
    } finally {
      await Promise.all(contenders.map((contender) => contender.stop()))
    }
  },
}

/** What our latency is at the load where etcd gives all it can. */
async function paced(ours: Contender, pace: number, milliseconds: number): Promise<Row> {
  const { loader } = ours
  await ours.wake()
  await loader.tell({ type: 'open', store: await ours.store(), inFlight: 256 })
  const before = cpuSecondsOf(ours.servers)
  const warmupMs = milliseconds / 4
  const measureMs = milliseconds - warmupMs
  const { perSecond, p50, p99 } = await loader.tell({ type: 'pace', perSecond: pace, warmupMs, measureMs })
  const micros = ((cpuSecondsOf(ours.servers) - before) * 1e6) / (pace * milliseconds * 0.001)
  await loader.tell({ type: 'close' })
  ours.rest()
  return {
    ...{ 'in flight': `${String(Math.round(pace))}/s`, by: ours.name, 'puts/s': perSecond },
    ...{ 'p50 ms': p50, 'p99 ms': p99, 'CPU µs, servers': micros, 'CPU µs, client': '' },
    ...{ 'resident MB': residentOf(ours.servers), 'against etcd': '' },
    goal: `p99 ≤ ${String(PACED_GOAL_MS)} ms`,
  }
}

async function idle({ name, servers, wake, rest }: Contender): Promise<Row> {
  await wake()
  // The last heartbeats of the load, and the collector, are none of it.
  await sleep(1000)
  const before = servers.map((server) => server.usage()?.cpuSeconds ?? 0)
  await sleep(IDLE_MS)
  const each = servers.map((server, at) => {
    const seconds = (server.usage()?.cpuSeconds ?? 0) - (before[at] ?? 0)
    return ((seconds * 1000 * 100) / IDLE_MS).toFixed(1)
  })
  rest()
  return {
    ...{ 'in flight': 'idle', by: name, 'puts/s': 0, 'p50 ms': 0, 'p99 ms': 0 },
    ...{ 'CPU µs, servers': `${each.join(' ')} % of a core`, 'CPU µs, client': '' },
    ...{ 'resident MB': residentOf(servers), 'against etcd': '', goal: name === '@lab' ? '< 1 % each' : '' },
  }
}

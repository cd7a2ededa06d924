/** Three times what a cluster can take: what it does accept must not wait long, and it must not do less than before. */
import { kvCodecs, type Command } from '@lab/kvraft'
import { RaftClient, RaftError } from '@lab/raft'
import { tcp } from '@lab/rpc/tcp'
import type { Benchmark, Row } from './benchmark.ts'
import { LabCluster } from './cluster/lab-cluster.ts'
import { closedLoop } from './cluster/load.ts'
import { percentile } from './statistics.ts'

const IN_FLIGHT = 2048
const KEYS = 10_000
/** Large ones, so that one client process can ask for more than three servers take. */
const VALUE = new Uint8Array(4096).fill(120)
/** A client holds 64 MiB of commands that wait, at most. */
const CLIENTS = 4
const TIMES = [0.5, 1, 3, 0.5]
const GOAL_MS = 1500
/** So long at a time does the client ask without hearing answers. */
const TURN_MS = 2

type Client = RaftClient<Command>

export const benchmark: Benchmark = {
  title:
    'Overload: puts of 4 KB come so many a second, each sent once, whatever became of those before; refused ones (BUSY) are not repeated',
  byName: '--seconds 60 for ten seconds of each',
  async run({ seconds, log }) {
    const cluster = await LabCluster.start(3)
    const clerk = await cluster.clerk()
    const { addresses: servers } = cluster
    const clients = await Promise.all(
      Array.from({ length: CLIENTS }, () => RaftClient.connect({ ...kvCodecs, servers, transport: tcp() })),
    )
    try {
      const ms = Math.max(2000, (seconds * 1000) / (TIMES.length + 2))
      await cluster.settled(clerk)
      const put = (n: number): Promise<unknown> => clerk.put(`key-${String(n % KEYS)}`, VALUE)
      const { perSecond } = await closedLoop(put, IN_FLIGHT, { warmupMs: ms, measureMs: ms })
      log(`takes ${perSecond.toFixed(0)} a second with ${String(IN_FLIGHT)} in flight`)
      const rows: Row[] = []
      for (const times of TIMES) rows.push(await openLoop(clients, times * perSecond, ms, times))
      return rows
    } finally {
      await Promise.all([clerk.close(), ...clients.map((client) => client.close())])
      await cluster.stop()
    }
  },
}

async function openLoop(clients: readonly Client[], pace: number, ms: number, times: number): Promise<Row> {
  const accepted: number[] = []
  const refused: number[] = []
  /** By code. */
  const otherwise: Record<string, number> = {}
  const one = async (n: number, due: number): Promise<void> => {
    const key = new TextEncoder().encode(`key-${String(n % KEYS)}`)
    try {
      await clients[n % clients.length]?.propose({ op: 'put', key, value: VALUE }, { attempts: 1 })
      accepted.push(performance.now() - due)
    } catch (thrown) {
      const code = thrown instanceof RaftError ? thrown.code : String(thrown)
      if (code === 'BUSY') refused.push(performance.now() - due)
      else otherwise[code] = (otherwise[code] ?? 0) + 1
    }
  }
  const start = performance.now()
  const under: Promise<void>[] = []
  for (let due = start; performance.now() < start + ms;) {
    // A client that cannot keep pace must still get to hear its answers: it asks for some milliseconds, then listens. What it
    // had no time to ask is not asked later: its own delay is none of the servers'.
    const now = performance.now()
    due = Math.max(due, now - TURN_MS)
    for (; due <= now && performance.now() <= now + TURN_MS; due += 1000 / pace)
      under.push(one(under.length, due))
    await new Promise((resolve) => setTimeout(resolve, 1))
  }
  await Promise.all(under)
  return {
    'times capacity': times,
    'asked /s': (under.length * 1000) / ms,
    'accepted /s': (accepted.length * 1000) / ms,
    'accepted p50 ms': percentile(accepted, 0.5),
    'accepted p99 ms': percentile(accepted, 0.99),
    'refused p99 ms': refused.length === 0 ? '' : percentile(refused, 0.99),
    'ended otherwise': Object.entries(otherwise).join(' ') || 0,
    goal: times > 1 ? `p99 ≤ ${String(GOAL_MS)}` : '',
  }
}

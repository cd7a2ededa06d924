/** How long nobody can write after the leader was killed, and after it was stopped, which no socket tells. */
import { setTimeout as sleep } from 'node:timers/promises'
import type { Clerk } from '@lab/kvraft/clerk'
import type { Benchmark, BenchmarkOptions, Row } from './benchmark.ts'
import { LabCluster } from './cluster/lab-cluster.ts'
import { EtcdCluster } from './peers/etcd.ts'
import { RECORDED } from './peers/recorded.ts'
import { median } from './statistics.ts'

type Signal = 'SIGKILL' | 'SIGSTOP'

/** A round takes so long, with the return of the old leader and a pause. */
const ROUND_SECONDS = 5
const ROUNDS_MAX = 40
const BACKGROUND = 4
const GOAL_MS = 400
const VALUE = 'x'.repeat(256)

export const benchmark: Benchmark = {
  title:
    'Failover with default settings: from the signal to the first acknowledged write that began after it, four other callers meanwhile',
  byName: '--seconds 400 for 40 rounds of each signal; --peers etcd',
  async run(options) {
    const etcd = options.peers.get('etcd')
    const share = options.seconds / (etcd === undefined ? 2 : 4)
    const rounds = Math.max(2, Math.min(ROUNDS_MAX, Math.floor(share / ROUND_SECONDS)))
    const rows = await ours(rounds, options)
    return etcd === undefined ? rows : [...rows, ...(await etcds(etcd, rounds))]
  },
}

async function ours(rounds: number, { log }: BenchmarkOptions): Promise<Row[]> {
  const cluster = await LabCluster.start(3)
  const clerk = await cluster.clerk()
  try {
    const times: Record<Signal, number[]> = { SIGKILL: [], SIGSTOP: [] }
    for (let round = 0; round < rounds; round++)
      for (const signal of ['SIGKILL', 'SIGSTOP'] as const) {
        const took = await failOver(cluster, clerk, signal)
        log(`${signal} ${took.toFixed(0)} ms`)
        times[signal].push(took)
      }
    return Object.entries(times).map(([signal, all]) => row('@lab', signal, all))
  } finally {
    await clerk.close()
    await cluster.stop()
  }
}

async function failOver(cluster: LabCluster, clerk: Clerk, signal: Signal): Promise<number> {
  const { leader } = await cluster.settled(clerk)
  // At any moment of the heartbeat, not always at the same.
  await sleep(300 + Math.random() * 500)
  const victim = cluster.servers[leader]
  let first = Infinity
  const write = async (key: string): Promise<void> => {
    const begun = performance.now()
    await clerk.put(key, VALUE)
    if (begun >= struck) first = Math.min(first, performance.now())
  }
  let struck = Infinity
  const others = Array.from({ length: BACKGROUND }, async (_, at) => {
    while (first === Infinity) {
      await write(`background-${String(at)}`)
      await sleep(5)
    }
  })
  await sleep(200)
  struck = performance.now()
  const gone = signal === 'SIGKILL' ? victim?.kill() : victim?.signal(signal)
  await Promise.all([write('probe'), ...others, gone])
  if (signal === 'SIGKILL') await victim?.start()
  else victim?.signal('SIGCONT')
  return first - struck
}

/** Its survivors are asked directly, every ten milliseconds: no client of its own stands between. */
async function etcds(program: string, rounds: number): Promise<Row[]> {
  const cluster = await EtcdCluster.start(program)
  try {
    const times: Record<Signal, number[]> = { SIGKILL: [], SIGSTOP: [] }
    for (let round = 0; round < Math.max(3, rounds / 4); round++)
      for (const signal of ['SIGKILL', 'SIGSTOP'] as const) times[signal].push(await cluster.failOver(signal))
    return Object.entries(times).map(([signal, all]) => row('etcd', signal, all))
  } finally {
    await cluster.stop()
  }
}

function row(by: string, signal: string, times: readonly number[]): Row {
  return {
    by,
    signal,
    rounds: times.length,
    'median ms': median(times),
    'least ms': Math.min(...times),
    'most ms': Math.max(...times),
    goal: by === '@lab' ? `median ≤ ${String(GOAL_MS)}` : '',
    'etcd recorded': by === '@lab' && signal === 'SIGKILL' ? RECORDED.etcd.failoverMs : '',
  }
}

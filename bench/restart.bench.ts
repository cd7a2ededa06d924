/** A store that holds much, killed and started again: how long until it answers, and what it takes in memory. */
import type { Clerk } from '@lab/kvraft/clerk'
import type { Benchmark, Row } from './benchmark.ts'
import { LabCluster } from './cluster/lab-cluster.ts'
import { residentOf } from './cluster/server-process.ts'
import { EtcdCluster } from './peers/etcd.ts'
import { RECORDED } from './peers/recorded.ts'
import { median } from './statistics.ts'

const KEYS_MAX = 1_000_000
/** Fewer when there is less time than a slow machine needs to write them. */
const KEYS_PER_SECOND = 10_000
const CALLERS = 1000
const ROUNDS = 3
const GOAL_SECONDS = 2
const GOAL_MB = 600
const VALUE = new Uint8Array(256).fill(120)

export const benchmark: Benchmark = {
  title: `Restart after SIGKILL with up to ${String(KEYS_MAX)} keys × 256 B, until the first linearizable read: median of ${String(ROUNDS)}`,
  byName: '--seconds 180 for a million keys; --peers etcd with 360',
  async run({ seconds, peers, log }) {
    const etcd = peers.get('etcd')
    const share = etcd === undefined ? seconds : seconds / 2
    const keys = Math.min(KEYS_MAX, Math.floor(share * KEYS_PER_SECOND))
    const rows = await ours(keys, log)
    return etcd === undefined ? rows : [...rows, ...(await etcds(etcd, keys, log))]
  },
}

async function ours(keys: number, log: (line: string) => void): Promise<Row[]> {
  const cluster = await LabCluster.start(3)
  try {
    const clerk = await cluster.clerk()
    await fill(keys, (key) => clerk.put(key, VALUE))
    const loaded = residentOf(cluster.servers)
    log(`${String(keys)} keys written, resident ${loaded} MB`)
    const [one, all]: number[][] = [[], []]
    for (let round = 0; round < ROUNDS; round++) {
      one?.push(await oneRestarts(cluster, clerk))
      log(`one: ${String(one?.at(-1))} s, resident ${residentOf(cluster.servers)} MB`)
    }
    await clerk.close()
    for (let round = 0; round < ROUNDS; round++) {
      all?.push(await allRestart(cluster))
      log(`all: ${String(all?.at(-1))} s, resident ${residentOf(cluster.servers)} MB`)
    }
    const { restartOneSeconds, restartAllSeconds } = RECORDED.etcd
    return [
      row('@lab', keys, {
        what: 'one of three',
        times: one ?? [],
        resident: loaded,
        etcd: restartOneSeconds,
      }),
      row('@lab', keys, {
        ...{ what: 'all three', times: all ?? [], etcd: restartAllSeconds },
        resident: residentOf(cluster.servers),
      }),
    ]
  } finally {
    await cluster.stop()
  }
}

/** A follower, read through itself: it asks the leader how far it must be, and answers when it is (thesis §6.4). */
async function oneRestarts(cluster: LabCluster, clerk: Clerk): Promise<number> {
  const { leader } = await cluster.settled(clerk)
  const at = (leader + 1) % cluster.servers.length
  const server = cluster.servers[at]
  await server?.kill()
  const begun = performance.now()
  const started = server?.start()
  const own = await cluster.clerk(at)
  checkFound(await own.get(keyOf(0), { from: 'any' }))
  const seconds = (performance.now() - begun) / 1000
  await started
  await own.close()
  return seconds
}

async function allRestart(cluster: LabCluster): Promise<number> {
  await Promise.all(cluster.servers.map((server) => server.kill()))
  const begun = performance.now()
  const started = cluster.servers.map((server) => server.start())
  const clerk = await cluster.clerk()
  checkFound(await clerk.get(keyOf(0)))
  const seconds = (performance.now() - begun) / 1000
  await Promise.all(started)
  await cluster.settled(clerk)
  await clerk.close()
  return seconds
}

async function etcds(program: string, keys: number, log: (line: string) => void): Promise<Row[]> {
  const cluster = await EtcdCluster.start(program)
  try {
    const client = await cluster.client(100, await cluster.leader())
    await fill(keys, (key) => client.put(key, VALUE))
    client.close()
    const resident = residentOf(cluster.servers)
    log(`etcd: ${String(keys)} keys written`)
    const times: number[] = []
    for (let round = 0; round < ROUNDS; round++) times.push(await cluster.timeToRead(keyOf(0)))
    return [row('etcd', keys, { what: 'all three', times, resident, etcd: '' })]
  } finally {
    await cluster.stop()
  }
}

async function fill(keys: number, put: (key: string) => Promise<unknown>): Promise<void> {
  let next = 0
  const caller = async (): Promise<void> => {
    while (next < keys) await put(keyOf(next++))
  }
  await Promise.all(Array.from({ length: CALLERS }, caller))
}

function keyOf(n: number): string {
  return `key/${String(n).padStart(9, '0')}`
}

function checkFound(value: Uint8Array | undefined): void {
  if (value?.length !== VALUE.length) throw new Error('a key that was put is gone')
}

function row(
  by: string,
  keys: number,
  {
    what,
    times,
    resident,
    etcd,
  }: { what: string; times: readonly number[]; resident: string; etcd: number | string },
): Row {
  const isOurs = by === '@lab'
  return {
    ...{ by, keys, restarted: what, 'median s': median(times), 'most s': Math.max(...times) },
    goal: isOurs ? `≤ ${String(GOAL_SECONDS)}` : '',
    'resident MB': resident,
    'goal MB': isOurs ? `≤ ${String(GOAL_MB)}` : '',
    'etcd recorded': etcd === '' ? '' : `${String(etcd)} s, ${RECORDED.etcd.residentMb} MB`,
  }
}

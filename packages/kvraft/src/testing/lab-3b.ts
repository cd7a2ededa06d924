/** Part 3B: the log is cut by snapshots of the store. */
import { checkSizes, checkSnapshotSizes } from './lab-checks.ts'
import type { Client, KvLabCluster } from './lab-cluster.ts'
import { genericScenario, type GenericTest } from './lab-generic.ts'
import { mustBe } from './lab-rules.ts'
import type { Scenario } from './lab-scenario.ts'
import { speedScenario } from './lab-speed.ts'

const MAX_RAFT_STATE = 1000
/** Of a store with one short value. */
const SNAPSHOT_BYTES_MAX = 500

const generic: readonly GenericTest[] = [
  { name: 'SnapshotRecover', part: '3B', clients: 1, crash: true },
  { name: 'SnapshotRecoverManyClients', part: '3B', clients: 20, crash: true },
  { name: 'SnapshotUnreliable', part: '3B', clients: 5, unreliable: true },
  { name: 'SnapshotUnreliableRecover', part: '3B', clients: 5, unreliable: true, crash: true },
  {
    ...{ name: 'SnapshotUnreliableRecoverConcurrentPartition', part: '3B', clients: 5 },
    ...{ unreliable: true, crash: true, partitions: true },
  },
  {
    ...{ name: 'SnapshotUnreliableRecoverConcurrentPartitionLinearizable', part: '3B', clients: 15 },
    ...{ servers: 7, unreliable: true, crash: true, partitions: true, randomKeys: true },
  },
]

export const scenarios3B: readonly Scenario[] = [
  { name: 'SnapshotRPC', part: '3B', servers: 3, maxRaftState: MAX_RAFT_STATE, play: installed },
  { name: 'SnapshotSize', part: '3B', servers: 3, maxRaftState: MAX_RAFT_STATE, play: small },
  speedScenario('3B', MAX_RAFT_STATE),
  ...generic.map((test) => genericScenario(test, MAX_RAFT_STATE)),
]

/** One server misses more than the others' logs still hold, then is needed for a majority: a snapshot must have reached it. */
async function installed(lab: KvLabCluster): Promise<void> {
  const all = lab.client()
  await mustHold(all, { a: 'A' }, { puts: true })
  lab.partition([0, 1], [2])
  const first = lab.client()
  first.reach([0, 1])
  for (let i = 0; i < 50; i++) await first.put(String(i), String(i))
  await lab.sleep(1000)
  await first.put('b', 'B')
  checkSizes(lab)

  lab.partition([0, 2], [1])
  const second = lab.client()
  second.reach([0, 2])
  await mustHold(second, { c: 'C', d: 'D' }, { puts: true })
  await mustHold(second, { a: 'A', b: 'B', 1: '1', 49: '49' })

  lab.joinAll()
  await mustHold(all, { e: 'E' }, { puts: true })
  await mustHold(all, { c: 'C', e: 'E', 1: '1' })
  checkSizes(lab)
  lab.checkHistory()
}

/** Eight hundred operations on one short value leave a short snapshot. */
async function small(lab: KvLabCluster): Promise<void> {
  const client = lab.client()
  for (let i = 0; i < 200; i++) {
    await mustHold(client, { x: '0' }, { puts: true })
    await mustHold(client, { x: '1' }, { puts: true })
  }
  checkSizes(lab)
  checkSnapshotSizes(lab, SNAPSHOT_BYTES_MAX)
  lab.checkHistory()
}

async function mustHold(
  client: Client,
  values: Readonly<Record<string, string>>,
  { puts = false } = {},
): Promise<void> {
  for (const [key, value] of Object.entries(values)) {
    if (puts) await client.put(key, value)
    const got = await client.get(key)
    mustBe(got === value, 'linearizable', `a get of ${key} gave "${got}" and not "${value}"`)
  }
}

/** Part 3A: a linearizable key/value service, without snapshots. */
import { checkMarkers, checkSizes } from './lab-checks.ts'
import type { KvLabCluster } from './lab-cluster.ts'
import { genericScenario, type GenericTest } from './lab-generic.ts'
import { fail, mustBe } from './lab-rules.ts'
import type { Scenario } from './lab-scenario.ts'
import { speedScenario } from './lab-speed.ts'

const NO_SNAPSHOTS = -1

const generic: readonly GenericTest[] = [
  { name: 'Basic', part: '3A', clients: 1 },
  { name: 'Concurrent', part: '3A', clients: 5 },
  { name: 'Unreliable', part: '3A', clients: 5, unreliable: true },
  { name: 'ManyPartitionsOneClient', part: '3A', clients: 1, partitions: true },
  { name: 'ManyPartitionsManyClients', part: '3A', clients: 5, partitions: true },
  { name: 'PersistOneClient', part: '3A', clients: 1, crash: true },
  { name: 'PersistConcurrent', part: '3A', clients: 5, crash: true },
  { name: 'PersistConcurrentUnreliable', part: '3A', clients: 5, unreliable: true, crash: true },
  { name: 'PersistPartition', part: '3A', clients: 5, crash: true, partitions: true },
  {
    ...{ name: 'PersistPartitionUnreliable', part: '3A', clients: 5 },
    ...{ unreliable: true, crash: true, partitions: true },
  },
  {
    ...{ name: 'PersistPartitionUnreliableLinearizable', part: '3A', clients: 15, servers: 7 },
    ...{ unreliable: true, crash: true, partitions: true, randomKeys: true },
  },
]

export const scenarios3A: readonly Scenario[] = [
  ...generic.map((test) => genericScenario(test, NO_SNAPSHOTS)),
  speedScenario('3A', NO_SNAPSHOTS),
  {
    ...{ name: 'UnreliableOneKey', part: '3A', servers: 3, maxRaftState: NO_SNAPSHOTS, unreliable: true },
    play: oneKey,
  },
  { name: 'OnePartition', part: '3A', servers: 5, maxRaftState: NO_SNAPSHOTS, play: onePartition },
]

/** Five clients append to one key. */
async function oneKey(lab: KvLabCluster): Promise<void> {
  const [clients, appends] = [5, 10]
  const reader = lab.client()
  await reader.put('k', '')
  const work = async (id: number): Promise<void> => {
    const client = lab.client()
    for (let count = 0; count < appends; count++)
      await client.append('k', `x ${String(id)} ${String(count)} y`)
  }
  await Promise.all(Array.from({ length: clients }, (_, id) => work(id)))
  const value = await reader.get('k')
  for (let id = 0; id < clients; id++) checkMarkers(value, id, appends)
  // With fifty appends side by side and one read, a search through orders would never end; the value itself tells the order.
  lab.checkAppends('k', value)
  checkSizes(lab)
}

/** The leader is left with a minority, which must neither write nor answer; then all are joined. */
async function onePartition(lab: KvLabCluster): Promise<void> {
  const everybody = lab.client()
  await everybody.put('1', '13')
  const [majority, minority] = sidesOf(lab)
  lab.partition(majority, minority)

  const served = lab.client()
  served.reach(majority)
  await mustGet(served, '14', () => served.put('1', '14'))

  const stuck = [lab.client(), lab.client()] as const
  for (const client of stuck) client.reach(minority)
  const put = lateness(lab, stuck[0].put('1', '15'))
  const get = lateness(lab, stuck[1].get('1'))
  await lab.sleep(1000)
  mustBe(put.ended === null, 'minorityWaits', 'a put was acknowledged without a majority')
  mustBe(get.ended === null, 'minorityWaits', 'a get was answered without a majority')
  await mustGet(served, '14', () => Promise.resolve())
  await mustGet(served, '16', () => served.put('1', '16'))

  const joined = lab.clock.now()
  lab.joinAll()
  for (const client of stuck) client.reach(lab.servers)
  await Promise.all([put.done, get.done])
  const late = Math.max(put.ended ?? Infinity, get.ended ?? Infinity) - joined
  mustBe(late <= 1000 + 3000, 'waitingEnds', `${String(Math.round(late))} ms after the servers were joined`)
  await mustGet(everybody, '15', () => Promise.resolve())
  checkSizes(lab)
  lab.checkHistory()
}

/** Three and two, the leader among the two. */
function sidesOf(lab: KvLabCluster): [majority: number[], minority: number[]] {
  const leader = lab.leader()
  if (leader === null) return fail('majorityServes', 'a put was acknowledged, and nobody leads')
  const others = lab.servers.filter((server) => server !== leader)
  return [others.slice(0, 3), [leader, ...others.slice(3)]]
}

async function mustGet(
  client: { get(key: string): Promise<string> },
  value: string,
  before: () => Promise<void>,
): Promise<void> {
  await before()
  const got = await client.get('1')
  mustBe(got === value, 'majorityServes', `a get gave "${got}" and not "${value}"`)
}

/** When a call ends. */
function lateness(
  lab: KvLabCluster,
  call: Promise<unknown>,
): { readonly ended: number | null; readonly done: Promise<void> } {
  let ended: number | null = null
  const done = call.then(() => {
    ended = lab.clock.now()
  })
  return {
    done,
    get ended() {
      return ended
    },
  }
}

/** Part 4A: configurations, one test after the other on one cluster, as the labs have them. */
import { checkFewestMoves, checkGroups, checkSame, checkServers, shardsOf } from './lab-checks.ts'
import type { ControllerLabCluster } from './lab-cluster.ts'
import { LAB_SHARDS, type LabConfig, type LabControllerClerk } from './lab-interface.ts'
import { mustBe } from './lab-rules.ts'

/** One of the labs' tests: what happens to a cluster and its clients, and what must then be true. */
export interface Scenario {
  /** The labs' name, without `Test` and part. */
  readonly name: string
  readonly play: (lab: ControllerLabCluster) => Promise<void>
}

const CLERKS = 10
/** As many that come and go that there are more groups than shards. */
const LATE = [11, 12, 13, 14, 15]

export const scenarios4A: readonly Scenario[] = [
  { name: 'Basic', play: basic },
  { name: 'Multi', play: multi },
  { name: 'MinimalAgain', play: minimalAgain },
]

async function basic(lab: ControllerLabCluster): Promise<void> {
  const clerk = lab.client()
  const history = [await checkGroups(clerk, [])]
  const step = async (work: Promise<void>, gids: readonly number[]): Promise<LabConfig> => {
    await work
    const config = await checkGroups(clerk, gids)
    history.push(config)
    return config
  }
  await step(clerk.join({ 1: ['x', 'y', 'z'] }), [1])
  const two = await step(clerk.join({ 2: ['a', 'b', 'c'] }), [1, 2])
  checkServers(two, 1, ['x', 'y', 'z'])
  checkServers(two, 2, ['a', 'b', 'c'])
  await step(clerk.leave([1]), [2])
  await step(clerk.leave([2]), [])

  await historicalQueries(lab, clerk, history)
  await moves(clerk)
  const gids = await concurrently(lab, 100, 10, async (mine, gid) => {
    await mine.join({ [gid + 1000]: [`s${String(gid)}x`] })
    await mine.join({ [gid]: [`s${String(gid)}a`] })
    await mine.leave([gid + 1000])
  })
  await checkGroups(clerk, gids)
  await comeAndGo(
    clerk,
    gids,
    LATE.map((gid) => [gid]),
  )
}

/** Each server in turn is down while the others are asked for every configuration that there was. */
async function historicalQueries(
  lab: ControllerLabCluster,
  clerk: LabControllerClerk,
  history: readonly LabConfig[],
): Promise<void> {
  for (const server of lab.servers) {
    lab.crash(server)
    for (const config of history) checkSame(config, await clerk.query(config.num), 'historyStays')
    lab.start(server)
  }
}

async function moves(clerk: LabControllerClerk): Promise<void> {
  const [low, high] = [503, 504]
  await clerk.join({ [low]: ['3a', '3b', '3c'] })
  await clerk.join({ [high]: ['4a', '4b', '4c'] })
  const wanted = Array.from({ length: LAB_SHARDS }, (_, shard) => (shard < LAB_SHARDS / 2 ? low : high))
  for (const [shard, gid] of wanted.entries()) {
    const before = await clerk.query(-1)
    await clerk.move(shard, gid)
    const after = await clerk.query(-1)
    const isNew = before.shards[shard] === gid || after.num > before.num
    mustBe(
      isNew,
      'moveMoves',
      `moving shard ${String(shard)} to group ${String(gid)} made no configuration after ${String(before.num)}`,
    )
  }
  const { shards } = await clerk.query(-1)
  mustBe(
    shards.join() === wanted.join(),
    'moveMoves',
    `shards are with ${shards.join(' ')}, and were moved to ${wanted.join(' ')}`,
  )
  await clerk.leave([low])
  await clerk.leave([high])
}

/** Ten clerks side by side, each with groups of its own. @returns the groups that stay */
async function concurrently(
  lab: ControllerLabCluster,
  first: number,
  apart: number,
  work: (clerk: LabControllerClerk, gid: number) => Promise<void>,
): Promise<number[]> {
  const gids = Array.from({ length: CLERKS }, (_, at) => first + apart * at)
  await Promise.all(gids.map((gid) => work(lab.client(), gid)))
  return gids
}

/** These join one lot after the other, and leave so: each time as few shards move as can. */
async function comeAndGo(
  clerk: LabControllerClerk,
  stay: readonly number[],
  lots: readonly (readonly number[])[],
): Promise<void> {
  let before = await clerk.query(-1)
  const here = new Set(stay)
  const looks = async (): Promise<void> => {
    const after = await checkGroups(clerk, [...here])
    checkFewestMoves(before, after)
    before = after
  }
  for (const lot of lots) {
    await clerk.join(Object.fromEntries(lot.map((gid) => [gid, [`s${String(gid)}a`, `s${String(gid)}b`]])))
    for (const gid of lot) here.add(gid)
    await looks()
  }
  for (const lot of lots) {
    await clerk.leave(lot)
    for (const gid of lot) here.delete(gid)
    await looks()
  }
}

async function multi(lab: ControllerLabCluster): Promise<void> {
  const clerk = lab.client()
  await checkGroups(clerk, [])
  await clerk.join({ 1: ['x', 'y', 'z'], 2: ['a', 'b', 'c'] })
  await checkGroups(clerk, [1, 2])
  await clerk.join({ 3: ['j', 'k', 'l'] })
  const three = await checkGroups(clerk, [1, 2, 3])
  checkServers(three, 1, ['x', 'y', 'z'])
  checkServers(three, 2, ['a', 'b', 'c'])
  checkServers(three, 3, ['j', 'k', 'l'])
  await clerk.leave([1, 3])
  checkServers(await checkGroups(clerk, [2]), 2, ['a', 'b', 'c'])
  await clerk.leave([2])

  const gids = await concurrently(lab, 1000, 1, async (mine, gid) => {
    await mine.join({
      [gid]: [`s${String(gid)}a`],
      [gid + 1000]: [`s${String(gid + 1000)}a`],
      [gid + 2000]: [`s${String(gid + 2000)}a`],
    })
    await mine.leave([gid + 1000, gid + 2000])
  })
  await checkGroups(clerk, gids)
  await comeAndGo(clerk, gids, [LATE])
  await sameOnAnotherLeader(lab, clerk)
}

/** Whoever leads next has made the same configuration. */
async function sameOnAnotherLeader(lab: ControllerLabCluster, clerk: LabControllerClerk): Promise<void> {
  let leader = lab.leader()
  while (leader === null) {
    await lab.sleep(100)
    leader = lab.leader()
  }
  const before = await clerk.query(-1)
  lab.crash(leader)
  checkSame(before, await clerk.query(-1), 'sameEverywhere')
  lab.start(leader)
}

/** The labs' of 2024. */
async function minimalAgain(lab: ControllerLabCluster): Promise<void> {
  const clerk = lab.client()
  await clerk.join({ 1: ['x'] })
  await clerk.join({ 2: ['y'] })
  const two = await checkGroups(clerk, [1, 2])
  await clerk.join({ 3: ['z'] })
  const three = await checkGroups(clerk, [1, 2, 3])
  checkFewestMoves(two, three)
  const most = Math.floor(LAB_SHARDS / 3) + 1
  mustBe(
    shardsOf(three, 3).length <= most,
    'fewestMoves',
    `group 3 was given ${String(shardsOf(three, 3).length)} shards`,
  )
  await clerk.leave([1])
  const left = await checkGroups(clerk, [2, 3])
  checkFewestMoves(three, left)
}

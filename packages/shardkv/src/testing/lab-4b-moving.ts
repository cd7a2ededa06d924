/** Part 4B: shards that move while one client looks on. */
import { LAB_GROUPS, type ShardLabCluster } from './lab-cluster.ts'
import { Keys, checkLogs, checkValue } from './lab-checks.ts'
import { mustBe } from './lab-rules.ts'
import type { LabPeer } from '@lab/raft/testing'
import type { Scenario } from './lab-scenario.ts'

const QUIET_MS = 2000
/** Of ten keys in ten shards, which two groups share. */
const HALF = 5

export const movingScenarios: readonly Scenario[] = [
  { name: 'StaticShards', maxRaftState: -1, play: staticShards },
  { name: 'Rejection', maxRaftState: -1, play: rejection },
  { name: 'JoinLeave', maxRaftState: -1, play: joinLeave },
  { name: 'Snapshot', maxRaftState: 1000, play: snapshot },
  { name: 'MissChange', maxRaftState: 1000, play: missChange },
  { name: 'Unreliable1', maxRaftState: 100, unreliable: true, play: unreliable1 },
]

async function staticShards(lab: ShardLabCluster): Promise<void> {
  await lab.join(0)
  await lab.join(1)
  const keys = await Keys.put(lab, 10, 20)
  await keys.check()
  lab.shutdownGroup(1)
  checkLogs(lab)
  await expectHalf(lab, keys)
  lab.startGroup(1)
  await keys.check()
}

/** 2024's: clients that were told that one group has everything. */
async function rejection(lab: ShardLabCluster): Promise<void> {
  await lab.join(0)
  await lab.join(1)
  const keys = await Keys.put(lab, 10, 20)
  await keys.check()
  const servers = (await lab.config()).groups[100] ?? []
  const misled = await lab.otherControllers((rogue) => rogue.join({ 100: servers }))
  await expectHalf(lab, keys, misled)
}

/** Ten clients ask for a key each; those of the group that can answer get theirs, until nothing more happens. */
async function expectHalf(lab: ShardLabCluster, keys: Keys, controllers?: readonly LabPeer[]): Promise<void> {
  let count = 0
  let last = lab.clock.now()
  for (const [key, expected] of keys.values.entries()) {
    const asking = lab.client(controllers).get(String(key))
    // Half of them wait for ever.
    void lab.beside(
      asking.then((value) => {
        checkValue(key, value, expected)
        count++
        last = lab.clock.now()
      }),
    )
  }
  while (lab.clock.now() - last < QUIET_MS) await lab.sleep(100)
  mustBe(count === HALF, 'ownShardsOnly', `${String(count)} of 10 gets were answered, not ${String(HALF)}`)
}

async function joinLeave(lab: ShardLabCluster): Promise<void> {
  await lab.join(0)
  const keys = await Keys.put(lab, 10, 5)
  await keys.check()
  await lab.join(1)
  await keys.checkAndAppend(5)
  await lab.leave(0)
  await keys.checkAndAppend(5)
  await lab.sleep(1000)
  checkLogs(lab)
  lab.shutdownGroup(0)
  await keys.check()
}

async function snapshot(lab: ShardLabCluster): Promise<void> {
  await lab.join(0)
  const keys = await Keys.put(lab, 30, 20)
  await keys.check()
  await lab.join(1)
  await lab.join(2)
  await lab.leave(0)
  await keys.checkAndAppend(20)
  await lab.leave(1)
  await lab.join(0)
  await keys.checkAndAppend(20)
  await lab.sleep(1000)
  await keys.check()
  await lab.sleep(1000)
  checkLogs(lab)
  for (const group of LAB_GROUPS) lab.shutdownGroup(group)
  for (const group of LAB_GROUPS) lab.startGroup(group)
  await keys.check()
}

async function missChange(lab: ShardLabCluster): Promise<void> {
  const each = (what: (group: number) => void): void => {
    for (const group of LAB_GROUPS) what(group)
  }
  await lab.join(0)
  const keys = await Keys.put(lab, 10, 20)
  await keys.check()
  await lab.join(1)
  each((group) => lab.shutdown(group, 0))
  await lab.join(2)
  await lab.leave(1)
  await lab.leave(0)
  await keys.checkAndAppend(20)
  await lab.join(1)
  await keys.checkAndAppend(20)
  each((group) => lab.start(group, 0))
  await keys.checkAndAppend(20)
  await lab.sleep(2000)
  each((group) => lab.shutdown(group, 1))
  await lab.join(0)
  await lab.leave(2)
  await keys.checkAndAppend(20)
  each((group) => lab.start(group, 1))
  await keys.check()
}

async function unreliable1(lab: ShardLabCluster): Promise<void> {
  await lab.join(0)
  const keys = await Keys.put(lab, 10, 5)
  await lab.join(1)
  await lab.join(2)
  await lab.leave(0)
  // The labs do it for the keys in turn, twice each.
  for (let round = 0; round < 2; round++) await keys.checkAndAppend(5)
  await lab.join(0)
  await lab.leave(1)
  for (let round = 0; round < 2; round++) await keys.check()
}

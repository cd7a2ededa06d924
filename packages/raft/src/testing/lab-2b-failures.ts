/** Part 2B, second half: agreement while servers come and go, and logs that must be mended (§5.3, Figure 7). */
import {
  checkIndex,
  checkNotApplied,
  checkOneLeader,
  ELECTION_MS,
  mustStart,
  one,
  randomCommand,
} from './lab-checks.ts'
import type { LabCluster } from './lab-cluster.ts'
import { fail } from './lab-failure.ts'
import type { Scenario } from './lab-scenario.ts'

export const failureScenarios: readonly Scenario[] = [
  { name: 'FollowerFailure', part: '2B', servers: 3, play: followerFailure },
  { name: 'LeaderFailure', part: '2B', servers: 3, play: leaderFailure },
  { name: 'FailAgree', part: '2B', servers: 3, play: failAgree },
  { name: 'FailNoAgree', part: '2B', servers: 5, play: failNoAgree },
  { name: 'Rejoin', part: '2B', servers: 3, play: rejoin },
  { name: 'Backup', part: '2B', servers: 5, play: backup },
]

async function followerFailure(lab: LabCluster): Promise<void> {
  await one(lab, 101, 3, { retry: false })
  const leader1 = await checkOneLeader(lab)
  lab.disconnect(lab.after(leader1, 1))
  await one(lab, 102, 2, { retry: false })
  await lab.sleep(ELECTION_MS)
  await one(lab, 103, 2, { retry: false })
  const leader2 = await checkOneLeader(lab)
  lab.disconnect(lab.after(leader2, 1))
  lab.disconnect(lab.after(leader2, 2))
  checkIndex(mustStart(lab, leader2, 104).index, 4)
  await lab.sleep(2 * ELECTION_MS)
  checkNotApplied(lab, 4, 'while its leader had no follower')
}

async function leaderFailure(lab: LabCluster): Promise<void> {
  await one(lab, 101, 3, { retry: false })
  lab.disconnect(await checkOneLeader(lab))
  await one(lab, 102, 2, { retry: false })
  await lab.sleep(ELECTION_MS)
  await one(lab, 103, 2, { retry: false })
  lab.disconnect(await checkOneLeader(lab))
  for (const server of lab.servers) lab.start(server, 104)
  await lab.sleep(2 * ELECTION_MS)
  checkNotApplied(lab, 4, 'while no two servers could talk')
}

async function failAgree(lab: LabCluster): Promise<void> {
  await one(lab, 101, 3, { retry: false })
  const follower = lab.after(await checkOneLeader(lab), 1)
  lab.disconnect(follower)
  await one(lab, 102, 2, { retry: false })
  await one(lab, 103, 2, { retry: false })
  await lab.sleep(ELECTION_MS)
  await one(lab, 104, 2, { retry: false })
  await one(lab, 105, 2, { retry: false })
  lab.connect(follower)
  await one(lab, 106, 3, { retry: true })
  await lab.sleep(ELECTION_MS)
  await one(lab, 107, 3, { retry: true })
}

async function failNoAgree(lab: LabCluster): Promise<void> {
  await one(lab, 10, 5, { retry: false })
  const leader1 = await checkOneLeader(lab)
  const cutOff = [1, 2, 3].map((offset) => lab.after(leader1, offset))
  for (const server of cutOff) lab.disconnect(server)
  checkIndex(mustStart(lab, leader1, 20).index, 2)
  await lab.sleep(2 * ELECTION_MS)
  checkNotApplied(lab, 2, 'while only two of five servers could talk')
  for (const server of cutOff) lab.connect(server)
  // Whoever was elected may or may not have the entry of before.
  const leader2 = await checkOneLeader(lab)
  const { index } = mustStart(lab, leader2, 30)
  if (index !== 2 && index !== 3)
    fail('indexesAreDense', `30 got index ${String(index)}; only 2 and 3 were free`)
  await one(lab, 1000, 5, { retry: true })
}

async function rejoin(lab: LabCluster): Promise<void> {
  await one(lab, 101, 3, { retry: true })
  const leader1 = await checkOneLeader(lab)
  lab.disconnect(leader1)
  for (const command of [102, 103, 104]) lab.start(leader1, command)
  // The others go on, and this takes the index of one that the old leader put only into its own log.
  await one(lab, 103, 2, { retry: true })
  const leader2 = await checkOneLeader(lab)
  lab.disconnect(leader2)
  lab.connect(leader1)
  await one(lab, 104, 2, { retry: true })
  lab.connect(leader2)
  await one(lab, 105, 3, { retry: true })
}

async function backup(lab: LabCluster): Promise<void> {
  await one(lab, randomCommand(lab), 5, { retry: true })

  // A leader with one follower collects 50 entries that cannot commit …
  const leader1 = await checkOneLeader(lab)
  const others = [2, 3, 4].map((offset) => lab.after(leader1, offset))
  for (const server of others) lab.disconnect(server)
  startMany(lab, leader1, 50)
  await lab.sleep(ELECTION_MS / 2)

  // … while the other three commit 50 different ones there.
  lab.disconnect(leader1)
  lab.disconnect(lab.after(leader1, 1))
  for (const server of others) lab.connect(server)
  await agreeOnMany(lab, 50)

  // Then one of the three is cut off, and its leader too collects 50 that cannot commit.
  const leader2 = await checkOneLeader(lab)
  const other = lab.after(leader1, leader2 === lab.after(leader1, 2) ? 3 : 2)
  lab.disconnect(other)
  startMany(lab, leader2, 50)
  await lab.sleep(ELECTION_MS / 2)

  // The first two come back with the one that was cut off: two long wrong tails meet the right log.
  for (const server of lab.servers) lab.disconnect(server)
  for (const server of [leader1, lab.after(leader1, 1), other]) lab.connect(server)
  await agreeOnMany(lab, 50)
  for (const server of lab.servers) lab.connect(server)
  await one(lab, randomCommand(lab), 5, { retry: true })
}

function startMany(lab: LabCluster, leader: number, howMany: number): void {
  for (let i = 0; i < howMany; i++) lab.start(leader, randomCommand(lab))
}

async function agreeOnMany(lab: LabCluster, howMany: number): Promise<void> {
  for (let i = 0; i < howMany; i++) await one(lab, randomCommand(lab), 3, { retry: true })
}

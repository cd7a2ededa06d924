/** Part 2C, first half: what a server must find again after a crash (Figure 2, persistent state). */
import { checkOneLeader, ELECTION_MS, one, wait } from './lab-checks.ts'
import type { LabCluster } from './lab-cluster.ts'
import type { Scenario } from './lab-scenario.ts'

export const persistenceScenarios: readonly Scenario[] = [
  { name: 'Persist1', part: '2C', servers: 3, play: persist1 },
  { name: 'Persist2', part: '2C', servers: 5, play: persist2 },
  { name: 'Persist3', part: '2C', servers: 3, play: persist3 },
]

async function persist1(lab: LabCluster): Promise<void> {
  await one(lab, 11, 3, { retry: true })
  for (const server of lab.servers) lab.restart(server)
  for (const server of lab.servers) lab.connect(server)
  await one(lab, 12, 3, { retry: true })

  const leader1 = await checkOneLeader(lab)
  lab.disconnect(leader1)
  restartAndConnect(lab, leader1)
  await one(lab, 13, 3, { retry: true })

  const leader2 = await checkOneLeader(lab)
  lab.disconnect(leader2)
  await one(lab, 14, 2, { retry: true })
  restartAndConnect(lab, leader2)
  // The fourth command is one that leader2 missed.
  await wait(lab, 4, 3)

  const follower = lab.after(await checkOneLeader(lab), 1)
  lab.disconnect(follower)
  await one(lab, 15, 2, { retry: true })
  restartAndConnect(lab, follower)
  await one(lab, 16, 3, { retry: true })
}

async function persist2(lab: LabCluster): Promise<void> {
  let command = 10
  for (let round = 0; round < 5; round++) {
    await one(lab, ++command, 5, { retry: true })
    const leader = await checkOneLeader(lab)
    const at = (offset: number): number => lab.after(leader, offset)
    lab.disconnect(at(1))
    lab.disconnect(at(2))
    await one(lab, ++command, 3, { retry: true })
    for (const offset of [0, 3, 4]) lab.disconnect(at(offset))
    // Two servers that lack the last command, and then one that has it: it must be the leader (§5.4.1).
    lab.restart(at(1))
    lab.restart(at(2))
    lab.connect(at(1))
    lab.connect(at(2))
    await lab.sleep(ELECTION_MS)
    restartAndConnect(lab, at(3))
    await one(lab, ++command, 3, { retry: true })
    lab.connect(at(4))
    lab.connect(at(0))
  }
  await one(lab, 1000, 5, { retry: true })
}

async function persist3(lab: LabCluster): Promise<void> {
  await one(lab, 101, 3, { retry: true })
  const leader = await checkOneLeader(lab)
  const follower = lab.after(leader, 1)
  const cutOff = lab.after(leader, 2)
  lab.disconnect(cutOff)
  await one(lab, 102, 2, { retry: true })
  lab.crash(leader)
  lab.crash(follower)
  lab.connect(cutOff)
  restartAndConnect(lab, leader)
  await one(lab, 103, 2, { retry: true })
  restartAndConnect(lab, follower)
  await one(lab, 104, 3, { retry: true })
}

function restartAndConnect(lab: LabCluster, server: number): void {
  lab.restart(server)
  lab.connect(server)
}

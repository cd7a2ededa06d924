/** Part 2C, second half: crashes, losses and partitions at random (§5.4.2, Figure 8). */
import { anyServer, checkCommandsKept, ELECTION_MS, one, randomCommand } from './lab-checks.ts'
import { churnClient } from './lab-churn-client.ts'
import type { LabCluster } from './lab-cluster.ts'
import { NotLeader } from './lab-interface.ts'
import type { Scenario } from './lab-scenario.ts'

const FIGURE_8_ROUNDS = 1000

export const chaosScenarios: readonly Scenario[] = [
  { name: 'Figure8', part: '2C', servers: 5, play: figure8 },
  { name: 'UnreliableAgree', part: '2C', servers: 5, unreliable: true, play: unreliableAgree },
  { name: 'Figure8Unreliable', part: '2C', servers: 5, unreliable: true, play: figure8Unreliable },
  { name: 'ReliableChurn', part: '2C', servers: 5, play: churn },
  { name: 'UnreliableChurn', part: '2C', servers: 5, unreliable: true, play: churn },
]

/** Leaders crash, many of them right after taking a command, some after spreading it to a few. */
async function figure8(lab: LabCluster): Promise<void> {
  await one(lab, randomCommand(lab), 1, { retry: true })
  for (let round = 0; round < FIGURE_8_ROUNDS; round++) {
    let leader = -1
    for (const server of lab.servers) if (lab.start(server, randomCommand(lab)) !== NotLeader) leader = server
    await pauseOfFigure8(lab)
    if (leader >= 0) lab.crash(leader)
    if (lab.servers.filter((server) => lab.isUp(server)).length < 3) revive(lab, anyServer(lab))
  }
  for (const server of lab.servers) revive(lab, server)
  await one(lab, randomCommand(lab), 5, { retry: true })
}

/** The same without crashes, on a network that loses and, later, holds replies back: long tails that never commit. */
async function figure8Unreliable(lab: LabCluster): Promise<void> {
  await one(lab, lab.random.integer(0, 9999), 1, { retry: true })
  for (let round = 0; round < FIGURE_8_ROUNDS; round++) {
    if (round === 200) lab.network.longReordering = true
    let leader = -1
    for (const server of lab.servers) {
      const started = lab.start(server, lab.random.integer(0, 9999))
      if (started !== NotLeader && lab.isConnected(server)) leader = server
    }
    await pauseOfFigure8(lab)
    if (leader >= 0 && happens(lab, 500)) lab.disconnect(leader)
    if (lab.servers.filter((server) => lab.isConnected(server)).length < 3) {
      const server = anyServer(lab)
      if (!lab.isConnected(server)) lab.connect(server)
    }
  }
  for (const server of lab.servers) if (!lab.isConnected(server)) lab.connect(server)
  await one(lab, lab.random.integer(0, 9999), 5, { retry: true })
}

async function unreliableAgree(lab: LabCluster): Promise<void> {
  const background: Promise<number>[] = []
  for (let round = 1; round < 50; round++) {
    for (let j = 0; j < 4; j++) background.push(one(lab, 100 * round + j, 1, { retry: true }))
    await one(lab, round, 1, { retry: true })
  }
  lab.network.reliable = true
  await Promise.all(background)
  await one(lab, 100, 5, { retry: true })
}

/** Clients go on while servers are cut off, crash and come back; what a client saw committed must still be there. */
async function churn(lab: LabCluster): Promise<void> {
  const stop = { now: false }
  const clients = [0, 1, 2].map((id) => churnClient(lab, id, stop))
  for (let round = 0; round < 20; round++) {
    if (happens(lab, 200)) lab.disconnect(anyServer(lab))
    if (happens(lab, 500)) {
      const server = anyServer(lab)
      if (!lab.isUp(server)) lab.restart(server)
      lab.connect(server)
    }
    if (happens(lab, 200)) {
      const server = anyServer(lab)
      if (lab.isUp(server)) lab.crash(server)
    }
    await lab.sleep((ELECTION_MS * 7) / 10)
  }
  await lab.sleep(ELECTION_MS)
  lab.network.reliable = true
  for (const server of lab.servers) {
    if (!lab.isUp(server)) lab.restart(server)
    lab.connect(server)
  }
  stop.now = true
  const committed = (await Promise.all(clients)).flat()
  await lab.sleep(ELECTION_MS)
  const last = await one(lab, randomCommand(lab), 5, { retry: true })
  await checkCommandsKept(lab, committed, last)
}

function revive(lab: LabCluster, server: number): void {
  if (lab.isUp(server)) return
  lab.restart(server)
  lab.connect(server)
}

async function pauseOfFigure8(lab: LabCluster): Promise<void> {
  await lab.sleep(happens(lab, 100) ? lab.random.integer(0, ELECTION_MS / 2 - 1) : lab.random.integer(0, 12))
}

/** True in so many cases out of a thousand. */
function happens(lab: LabCluster, inThousand: number): boolean {
  return lab.random.integer(0, 999) < inThousand
}

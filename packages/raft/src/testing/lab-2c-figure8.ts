/**
 * Figure 8 step by step, besides the labs' own tests, which come upon it by chance. One entry gets to two of five servers, a
 * later leader keeps one of its own to itself, and a third one spreads the first to a majority. A Raft that counts it as
 * committed there (§5.4.2) will see it overwritten.
 */
import { checkOneLeader, ELECTION_MS, mustStart, one } from './lab-checks.ts'
import type { LabCluster } from './lab-cluster.ts'
import type { Scenario } from './lab-scenario.ts'

export const figure8Scenario: Scenario = { name: 'Figure8Steps', part: '2C', servers: 5, play: steps }

async function steps(lab: LabCluster): Promise<void> {
  await one(lab, 1, 5, { retry: true })

  // (a) A leader gets its entry to one follower only.
  const first = await checkOneLeader(lab)
  const follower = lab.after(first, 1)
  onlyThese(lab, [first, follower])
  mustStart(lab, first, 2)
  await lab.sleep(ELECTION_MS / 4)

  // (b) One of the other three leads in a later term, and keeps its entry to itself.
  const others = [2, 3, 4].map((offset) => lab.after(first, offset))
  onlyThese(lab, others)
  const second = await checkOneLeader(lab)
  lab.disconnect(second)
  mustStart(lab, second, 3)

  // (c) The first two and another elect one that has the first entry, which now gets to a majority.
  const [third, fourth] = others.filter((server) => server !== second) as [number, number]
  onlyThese(lab, [first, follower, third])
  await checkOneLeader(lab)
  await lab.sleep(ELECTION_MS)

  // (d) The one with the later entry comes back, to servers that will follow it if nothing forbids that.
  onlyThese(lab, [second, third, fourth])
  await one(lab, 4, 3, { retry: true })
  onlyThese(lab, lab.servers)
  await one(lab, 5, 5, { retry: true })
}

function onlyThese(lab: LabCluster, servers: readonly number[]): void {
  for (const server of lab.servers) lab.disconnect(server)
  for (const server of servers) lab.connect(server)
}

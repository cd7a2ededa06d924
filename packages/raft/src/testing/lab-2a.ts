/** Part 2A: leader election (§5.2). */
import { checkNoLeader, checkOneLeader, checkTerms, ELECTION_MS, anyServer } from './lab-checks.ts'
import type { LabCluster } from './lab-cluster.ts'
import { fail } from './lab-failure.ts'
import { nameOf } from './lab-safety.ts'
import type { Scenario } from './lab-scenario.ts'

export const scenarios2A: readonly Scenario[] = [
  { name: 'InitialElection', part: '2A', servers: 3, play: initialElection },
  { name: 'ReElection', part: '2A', servers: 3, play: reElection },
  { name: 'ManyElections', part: '2A', servers: 7, play: manyElections },
]

async function initialElection(lab: LabCluster): Promise<void> {
  const leader = await checkOneLeader(lab)
  await lab.sleep(50)
  const term = checkTerms(lab)
  if (term < 1) fail('termsOnlyGrow', 'a leader was elected in term 0; the first election makes it 1')
  await lab.sleep(2 * ELECTION_MS)
  // The labs only warn here; but nothing failed, so nothing may have changed.
  const later = checkTerms(lab)
  if (later !== term)
    fail('leaderStays', `the term went from ${String(term)} to ${String(later)} although nothing failed`)
  const leaderLater = await checkOneLeader(lab)
  if (leaderLater !== leader)
    fail('leaderStays', `${nameOf(leader)} led, now ${nameOf(leaderLater)} does, although nothing failed`)
}

async function reElection(lab: LabCluster): Promise<void> {
  const leader1 = await checkOneLeader(lab)
  lab.disconnect(leader1)
  await checkOneLeader(lab)
  // The old leader hears of the new term, and follows without disturbing it.
  lab.connect(leader1)
  const leader2 = await checkOneLeader(lab)
  lab.disconnect(leader2)
  lab.disconnect(lab.after(leader2, 1))
  await lab.sleep(2 * ELECTION_MS)
  checkNoLeader(lab)
  lab.connect(lab.after(leader2, 1))
  await checkOneLeader(lab)
  lab.connect(leader2)
  await checkOneLeader(lab)
}

async function manyElections(lab: LabCluster): Promise<void> {
  await checkOneLeader(lab)
  for (let round = 1; round < 10; round++) {
    const cutOff = [anyServer(lab), anyServer(lab), anyServer(lab)]
    for (const server of cutOff) lab.disconnect(server)
    await checkOneLeader(lab)
    for (const server of cutOff) lab.connect(server)
  }
  await checkOneLeader(lab)
}

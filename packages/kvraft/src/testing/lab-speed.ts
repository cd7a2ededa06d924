/** Both parts: a single client that waits for each answer is not held up by heartbeats. */
import type { LabPart } from '@lab/raft/testing'
import { checkMarkers, checkSizes } from './lab-checks.ts'
import type { KvLabCluster } from './lab-cluster.ts'
import { mustBe } from './lab-rules.ts'
import type { Scenario } from './lab-scenario.ts'

const OPERATIONS = 1000
/** A third of the labs' heartbeat for each. */
const LIMIT_MS = (OPERATIONS * 100) / 3

export function speedScenario(part: LabPart, maxRaftState: number): Scenario {
  return { name: 'Speed', part, servers: 3, maxRaftState, play }
}

async function play(lab: KvLabCluster): Promise<void> {
  const client = lab.client()
  await client.get('x') // So that somebody leads.
  const begun = lab.clock.now()
  for (let count = 0; count < OPERATIONS; count++) await client.append('x', `x 0 ${String(count)} y`)
  const took = lab.clock.now() - begun
  checkMarkers(await client.get('x'), 0, OPERATIONS)
  const seen = `${String(OPERATIONS)} appends took ${String(Math.round(took))} ms, ${String(Math.round(LIMIT_MS))} are allowed`
  mustBe(took <= LIMIT_MS, 'fastEnough', seen)
  checkSizes(lab)
}

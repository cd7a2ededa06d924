import { commandAt, randomCommand } from './lab-checks.ts'
import type { LabCluster } from './lab-cluster.ts'
import { NotLeader } from './lab-interface.ts'

/** How long a client waits after each look at the index it was given. */
const LOOKS_MS = [10, 20, 50, 100, 200]

/** Offers one command after the other to every live server. @returns those that it saw committed */
export async function churnClient(
  lab: LabCluster,
  id: number,
  stop: { readonly now: boolean },
): Promise<number[]> {
  const committed: number[] = []
  while (!stop.now) {
    const command = randomCommand(lab)
    const index = startEverywhere(lab, command)
    if (index === null) await lab.sleep(79 + 17 * id)
    else if (await sawApplied(lab, index, command)) committed.push(command)
    // An old leader's index may be taken already: without this, virtual time would stand still.
    await lab.sleep(1)
  }
  return committed
}

/** @returns the index that the last server to take it gave, or null when nobody did */
function startEverywhere(lab: LabCluster, command: number): number | null {
  let index: number | null = null
  for (const server of lab.servers) {
    const started = lab.start(server, command)
    if (started !== NotLeader) index = started.index
  }
  return index
}

async function sawApplied(lab: LabCluster, index: number, command: number): Promise<boolean> {
  for (const pause of LOOKS_MS) {
    const applied = commandAt(lab, index)
    if (applied !== undefined) return applied === command
    await lab.sleep(pause)
  }
  return false
}

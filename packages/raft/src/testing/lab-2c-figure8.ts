/**
 * Figure 8 step by step, besides the labs' own tests, which come upon it by chance. One entry gets to two of five servers, a
 * later leader keeps one of its own to itself, and a third one spreads the first to a majority. A Raft that counts it as
 * committed there (§5.4.2) will see it overwritten.
 */
import { checkOneLeader, ELECTION_MS, mustStart, one, randomCommand } from './lab-checks.ts'
import type { LabCluster } from './lab-cluster.ts'
import { fail } from './lab-failure.ts'
import type { Scenario } from './lab-scenario.ts'

export const figure8Scenarios: readonly Scenario[] = [
  { name: 'Figure8Steps', part: '2C', servers: 5, play: steps },
  { name: 'Figure8Cut', part: '2C', servers: 5, play: cuts },
]

const CUT_ROUNDS = 5
/** Often enough to see a leader before the first message that it sends has arrived: a hop takes 0.2 ms at least. */
const LOOK_MS = 0.1

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

/**
 * The same again and again, with the knife at another moment: the leader of (b) is cut off before it has said a word, and that
 * of (c) some milliseconds after its election, when the old entry may be on a majority and nothing of its own term yet. So
 * the no-op of §8, if there is one, does not hide what is counted.
 */
async function cuts(lab: LabCluster): Promise<void> {
  await one(lab, randomCommand(lab), 5, { retry: true })
  for (let round = 0; round < CUT_ROUNDS; round++) {
    const first = await checkOneLeader(lab)
    const follower = lab.after(first, 1)
    onlyThese(lab, [first, follower])
    const { term } = mustStart(lab, first, randomCommand(lab))
    await lab.sleep(ELECTION_MS / 4)

    const others = [2, 3, 4].map((offset) => lab.after(first, offset))
    onlyThese(lab, others)
    const second = await leaderAfter(lab, others, term)
    lab.disconnect(second)
    const started = mustStart(lab, second, randomCommand(lab))

    const [third, fourth] = others.filter((server) => server !== second) as [number, number]
    const three = [first, follower, third]
    onlyThese(lab, three)
    await leaderAfter(lab, three, started.term)
    await lab.sleep(lab.random.integer(10, 50) / 10)

    onlyThese(lab, [second, third, fourth])
    await one(lab, randomCommand(lab), 3, { retry: true })
    onlyThese(lab, lab.servers)
    await one(lab, randomCommand(lab), 5, { retry: true })
  }
}

/** Waits for one of `servers` to lead in a later term, and sees it at once. */
async function leaderAfter(lab: LabCluster, servers: readonly number[], term: number): Promise<number> {
  const end = lab.clock.now() + 10 * ELECTION_MS
  while (lab.clock.now() < end) {
    const leader = servers.find((server) => {
      const state = lab.state(server)
      return state?.isLeader === true && state.term > term
    })
    if (leader !== undefined) return leader
    await lab.sleep(LOOK_MS)
  }
  return fail('leaderAppears', 'three of five servers that can talk had no new leader for 10 s')
}

function onlyThese(lab: LabCluster, servers: readonly number[]): void {
  for (const server of lab.servers) lab.disconnect(server)
  for (const server of servers) lab.connect(server)
}

/** The labs' GenericTest: clients at work while servers are partitioned and crash. Most tests of part 3 are a row of its table. */
import type { LabPart } from '@lab/raft/testing'
import type { Client, KvLabCluster } from './lab-cluster.ts'
import { checkMarkers, checkSizes } from './lab-checks.ts'
import { mustBe } from './lab-rules.ts'
import type { Scenario } from './lab-scenario.ts'

export interface GenericTest {
  readonly name: string
  readonly part: LabPart
  readonly clients: number
  readonly servers?: number
  readonly unreliable?: boolean
  /** All servers at once, while the last calls are under way. */
  readonly crash?: boolean
  /** Servers are divided anew every second. */
  readonly partitions?: boolean
  /** Clients share keys and also put: nothing but linearizability can judge them. */
  readonly randomKeys?: boolean
}

const ROUNDS = 3
const ROUND_MS = 5000
/**
 * Of all clients together, in a second. The labs' clients never pause; in virtual time, where a call takes a millisecond, that
 * would be a hundred thousand operations a test and would show nothing more.
 */
const OPERATIONS_PER_SECOND = 25

export function genericScenario(test: GenericTest, maxRaftState: number): Scenario {
  const { name, part, servers = 5, unreliable = false } = test
  return { name, part, servers, unreliable, maxRaftState, play: (lab) => play(lab, test) }
}

async function play(lab: KvLabCluster, test: GenericTest): Promise<void> {
  const { crash = false, partitions = false, randomKeys = false } = test
  for (let round = 0; round < ROUNDS; round++) {
    const stop = { now: false }
    const working = Array.from({ length: test.clients }, (_, id) => lab.beside(work(lab, id, test, stop)))
    const dividing = partitions ? lab.beside(lab.sleep(1000).then(() => divide(lab, stop))) : null
    await lab.sleep(partitions ? 1000 + ROUND_MS : ROUND_MS)
    stop.now = true
    if (dividing !== null) {
      await dividing
      lab.joinAll()
      await lab.sleep(1000)
    }
    if (crash) {
      lab.crashAll()
      await lab.sleep(1000)
      lab.startAll()
    }
    const counts = await Promise.all(working)
    const reader = lab.client()
    for (const [id, count] of counts.entries()) {
      const value = await reader.get(String(id))
      if (!randomKeys) checkMarkers(value, id, count)
    }
    checkSizes(lab)
  }
  lab.checkHistory()
}

/** One client until it is told to stop. @returns how many markers it has written */
async function work(
  lab: KvLabCluster,
  id: number,
  { clients, randomKeys = false }: GenericTest,
  stop: { readonly now: boolean },
): Promise<number> {
  const client = lab.client()
  const pauseMsMax = (2 * 1000 * clients) / OPERATIONS_PER_SECOND
  let key = String(id)
  let expected = ''
  let count = 0
  if (!randomKeys) await client.put(key, '')
  while (!stop.now) {
    if (randomKeys) key = String(lab.random.integer(0, clients - 1))
    const marker = `x ${String(id)} ${String(count)} y`
    const dice = lab.random.next()
    if (dice < 0.5) {
      await client.append(key, marker)
      expected += marker
      count++
    } else if (randomKeys && dice < 0.55) {
      await client.put(key, marker)
      count++
    } else await read(client, key, randomKeys ? null : expected)
    await lab.sleep(lab.random.next() * pauseMsMax)
  }
  return count
}

/** @param expected null when others write the key too */
async function read(client: Client, key: string, expected: string | null): Promise<void> {
  const value = await client.get(key)
  mustBe(
    expected === null || value === expected,
    'readsOwnWrites',
    `a get of ${key} gave "${value}" where its only writer had made it "${expected ?? ''}"`,
  )
}

/** Puts each server on one of two sides, by a fair coin; a side may be empty. */
async function divide(lab: KvLabCluster, stop: { readonly now: boolean }): Promise<void> {
  while (!stop.now) {
    const sides: [number[], number[]] = [[], []]
    for (const server of lab.servers) sides[lab.random.integer(0, 1) as 0 | 1].push(server)
    lab.partition(...sides)
    await lab.sleep(1000 + lab.random.integer(0, 199))
  }
}

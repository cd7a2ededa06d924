/** Part 4B: clients at work while groups join and leave, and crash. */
import { LAB_GROUPS, type ShardLabCluster } from './lab-cluster.ts'
import { Keys, checkValue, randomText } from './lab-checks.ts'
import type { Scenario } from './lab-scenario.ts'

const CLIENTS = 10
/**
 * The labs' clients of some tests never pause. In virtual time, where a call takes a millisecond, that would be ten thousand
 * operations a second and would show nothing more.
 */
const PAUSE_MS_MIN = 100

export const concurrentScenarios: readonly Scenario[] = [
  { name: 'Concurrent1', maxRaftState: 100, play: concurrent1 },
  { name: 'Concurrent2', maxRaftState: -1, play: concurrent2 },
  { name: 'Concurrent3', maxRaftState: 300, play: concurrent3 },
  { name: 'Unreliable2', maxRaftState: 100, unreliable: true, play: unreliable2 },
  { name: 'Unreliable3', maxRaftState: 100, unreliable: true, play: unreliable3 },
]

async function concurrent1(lab: ShardLabCluster): Promise<void> {
  await lab.join(0)
  const load = new Load(lab, await Keys.put(lab, 10, 5), { length: 5, pauseMs: 10 })
  await lab.sleep(150)
  await lab.join(1)
  await lab.sleep(500)
  await lab.join(2)
  await lab.sleep(500)
  await lab.leave(0)
  for (const group of LAB_GROUPS) {
    lab.shutdownGroup(group)
    if (group < 2) await lab.sleep(100)
  }
  await lab.leave(2)
  await lab.sleep(100)
  for (const group of LAB_GROUPS) lab.startGroup(group)
  await lab.sleep(100)
  await lab.join(0)
  await lab.leave(1)
  await lab.sleep(500)
  await lab.join(1)
  await lab.sleep(1000)
  await load.end()
}

/** Each group is away when the others change, and returns later. */
async function concurrent2(lab: ShardLabCluster): Promise<void> {
  await lab.join(1)
  await lab.join(0)
  await lab.join(2)
  const load = new Load(lab, await Keys.put(lab, 10, 1), { length: 1, pauseMs: 50 })
  await lab.leave(0)
  await lab.leave(2)
  await lab.sleep(3000)
  await lab.join(0)
  await lab.join(2)
  await lab.leave(1)
  await lab.sleep(3000)
  await lab.join(1)
  await lab.leave(0)
  await lab.leave(2)
  await lab.sleep(3000)
  lab.shutdownGroup(1)
  lab.shutdownGroup(2)
  await lab.sleep(1000)
  lab.startGroup(1)
  lab.startGroup(2)
  await lab.sleep(2000)
  await load.end()
}

/** All crash at once, again and again, while configurations change. */
async function concurrent3(lab: ShardLabCluster): Promise<void> {
  await lab.join(0)
  const load = new Load(lab, await Keys.put(lab, 10, 1), { length: 1, pauseMs: PAUSE_MS_MIN })
  const end = lab.clock.now() + 12_000
  const pause = (): Promise<void> => lab.sleep(lab.random.integer(0, 899))
  while (lab.clock.now() < end) {
    await lab.join(2)
    await lab.join(1)
    await pause()
    for (const group of LAB_GROUPS) lab.shutdownGroup(group)
    for (const group of LAB_GROUPS) lab.startGroup(group)
    await pause()
    await lab.leave(1)
    await lab.leave(2)
    await pause()
  }
  await lab.sleep(2000)
  await load.end()
}

async function unreliable2(lab: ShardLabCluster): Promise<void> {
  await lab.join(0)
  const load = new Load(lab, await Keys.put(lab, 10, 5), { length: 5, pauseMs: PAUSE_MS_MIN })
  await changes(lab)
  load.stop()
  lab.network.reliable = true
  await load.end()
}

/** The same for clients that share keys: only linearizability can judge them. */
async function unreliable3(lab: ShardLabCluster): Promise<void> {
  await lab.join(0)
  await Keys.put(lab, 10, 5)
  const stop = { now: false }
  const working = Array.from({ length: CLIENTS }, () => lab.beside(anything(lab, stop)))
  await changes(lab)
  stop.now = true
  lab.network.reliable = true
  await Promise.all(working)
  lab.checkHistory()
}

async function changes(lab: ShardLabCluster): Promise<void> {
  await lab.sleep(150)
  await lab.join(1)
  await lab.sleep(500)
  await lab.join(2)
  await lab.sleep(500)
  await lab.leave(0)
  await lab.sleep(500)
  await lab.leave(1)
  await lab.sleep(500)
  await lab.join(1)
  await lab.join(0)
  await lab.sleep(2000)
}

async function anything(lab: ShardLabCluster, stop: { readonly now: boolean }): Promise<void> {
  const client = lab.client()
  while (!stop.now) {
    const key = String(lab.random.integer(0, 9))
    const value = randomText(lab, 5)
    const dice = lab.random.next()
    if (dice < 0.5) await client.append(key, value)
    else if (dice < 0.55) await client.put(key, value)
    else await client.get(key)
    await lab.sleep(PAUSE_MS_MIN)
  }
}

/** A client for each key adds to it until told to stop, and knows what must be there then. */
class Load {
  readonly #lab: ShardLabCluster
  readonly #keys: Keys
  readonly #working: readonly Promise<void>[]
  #isOver = false

  constructor(
    lab: ShardLabCluster,
    keys: Keys,
    { length, pauseMs }: { readonly length: number; readonly pauseMs: number },
  ) {
    this.#lab = lab
    this.#keys = keys
    this.#working = keys.values.map((_, key) => lab.beside(this.#work(key, length, pauseMs)))
  }

  stop(): void {
    this.#isOver = true
  }

  async end(): Promise<void> {
    this.stop()
    await Promise.all(this.#working)
    const reader = this.#lab.client()
    for (const [key, expected] of this.#keys.values.entries())
      checkValue(key, await reader.get(String(key)), expected)
  }

  async #work(key: number, length: number, pauseMs: number): Promise<void> {
    const client = this.#lab.client()
    while (!this.#isOver) {
      const addition = randomText(this.#lab, length)
      await client.append(String(key), addition)
      this.#keys.values[key] = (this.#keys.values[key] ?? '') + addition
      await this.#lab.sleep(pauseMs)
    }
  }
}

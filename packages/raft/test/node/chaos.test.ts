import { seededRandom, sleep } from '@lab/rpc'
import { describe, expect, test } from 'vitest'
import { type RaftError, type RaftClient } from '../../src/index.ts'
import type { RaftCluster } from '../../src/testing/cluster.ts'
import { appender, type Appender } from './appender.ts'
import { startChecked } from './checked-cluster.ts'

/** Two clusters of three and two of five: the simulator has such nodes under the same faults over many more seeds. */
const SEEDS = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]

interface Call {
  readonly item: string
  outcome: 'applied' | 'not-applied' | 'unknown'
}

/** One client: commands one after the other, noting what became of each. */
async function work(
  t: RaftCluster<Appender>,
  client: RaftClient<string, number>,
  name: string,
  until: () => boolean,
): Promise<Call[]> {
  const calls: Call[] = []
  for (let i = 0; !until(); i++) {
    const item = `${name}-${i}`
    try {
      await client.propose(item, { timeout: 4000 })
      calls.push({ item, outcome: 'applied' })
    } catch (error) {
      calls.push({ item, outcome: (error as RaftError).outcome! })
    }
    await sleep(t.clock, 40)
  }
  return calls
}

async function run(
  seed: number,
): Promise<{ all: readonly string[]; calls: readonly Call[]; t: RaftCluster<Appender> }> {
  const random = seededRandom(seed)
  const t = await startChecked<Appender>({
    seed,
    servers: seed % 2 === 0 ? 3 : 5,
    stateMachine: appender,
    options: { snapshotEveryBytes: 4000 },
  })
  let over = false
  const clients = []
  for (let i = 0; i < 4; i++)
    clients.push(await t.client<string, number>({ name: `c${i}`, attemptTimeout: 500 }))
  const working = Promise.all(clients.map((client, i) => work(t, client, `c${i}`, () => over)))
  for (let act = 0; act < 12; act++) {
    const id = t.ids[random.integer(0, t.ids.length - 1)]!
    const what = random.integer(0, 4)
    if (what === 0 && t.nodes.length === t.ids.length) {
      await t.crash(id)
      await t.advance(random.integer(50, 900))
      await t.restart(id)
    } else if (what === 1) t.isolate(id)
    else if (what === 2) t.network.cut(id, `c${random.integer(0, 3)}`)
    else if (what === 3)
      t.network.set({
        lossRate: 0.05,
        duplicationRate: 0.05,
        reordering: random.next() < 0.5,
        latencyMs: [0.2, 20],
      })
    else if (what === 4)
      t.network.set({ lossRate: 0, duplicationRate: 0, reordering: false, latencyMs: [0.2, 1] })
    await t.advance(random.integer(200, 1500))
    t.heal()
  }
  t.network.set({ lossRate: 0, duplicationRate: 0, reordering: false, latencyMs: [0.2, 1] })
  over = true
  const calls = (await t.settle(working)).flat()
  const leader = await t.leader()
  const all = await t.settle(leader.read((machine) => [...machine.state.items]))
  for (const node of t.nodes) {
    await t.settle(node.readBarrier())
    expect(await node.read((machine) => machine.state.items, { consistency: 'stale' })).toEqual(all)
  }
  return { all, calls, t }
}

describe('crashes, cuts, loss, duplicates and snapshots together', () => {
  test.each(SEEDS)(
    'seed %i: every command counts once, in its client’s order, and no reply lies',
    async (seed) => {
      const { all, calls, t } = await run(seed)
      const times = new Map<string, number>()
      for (const item of all) times.set(item, (times.get(item) ?? 0) + 1)
      for (const { item, outcome } of calls) {
        const expected = outcome === 'applied' ? [1] : outcome === 'not-applied' ? [0] : [0, 1]
        expect(expected, `${item} is ${outcome}`).toContain(times.get(item) ?? 0)
      }
      for (const name of ['c0', 'c1', 'c2', 'c3']) {
        const order = all
          .filter((item) => item.startsWith(`${name}-`))
          .map((item) => Number(item.split('-')[1]))
        expect(order).toEqual([...order].sort((a, b) => a - b))
      }
      expect(calls.filter(({ outcome }) => outcome === 'applied').length).toBeGreaterThan(50)
      await t.close()
    },
  )
})

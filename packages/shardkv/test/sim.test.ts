import { planOf, runPlan } from '@lab/sim'
import { describe, expect, test } from 'vitest'
import { shardScenario } from '../src/testing/sim/index.ts'

/** `npm test -- --seed 1000` takes others. More of them: sim.long.test.ts. */
const FROM = Number(process.env['LAB_SEED'] ?? 1)
const SEEDS = process.env['LAB_QUICK'] === '1' ? 4 : 12

describe('groups, controllers and clerks in the simulator: every history is linearizable, and every shard has one owner', () => {
  test(`seeds ${String(FROM)} to ${String(FROM + SEEDS - 1)}`, { timeout: 300_000 }, async () => {
    for (let seed = FROM; seed < FROM + SEEDS; seed++) {
      const scenario = shardScenario()
      const { failure, undecided } = await runPlan(scenario, planOf(scenario, seed))
      expect(failure, `seed ${String(seed)}`).toBeNull()
      expect(undecided).toEqual([])
    }
  })

  test('equal seeds give equal traces', async () => {
    const hashes: string[] = []
    for (let i = 0; i < 2; i++) {
      const scenario = shardScenario()
      hashes.push((await runPlan(scenario, planOf(scenario, FROM + 1), { hash: true })).hash)
    }
    expect(hashes[0]).toBe(hashes[1])
  })
})

import { kvScenario } from '@lab/kvraft/testing/sim'
import { planOf, runPlan } from '@lab/sim'
import { describe, expect, test } from 'vitest'

/** `npm test -- --seed 1000` takes others. */
const FROM = Number(process.env['LAB_SEED'] ?? 1)
const SEEDS = process.env['LAB_QUICK'] === '1' ? 10 : 50
const PER_TEST = 25

describe('servers and clerks in the simulator: every history is linearizable, and every cluster gets well again', () => {
  for (let from = FROM; from < FROM + SEEDS; from += PER_TEST) {
    test(`seeds ${String(from)} to ${String(from + PER_TEST - 1)}`, { timeout: 300_000 }, async () => {
      for (let seed = from; seed < from + PER_TEST; seed++) {
        const scenario = kvScenario()
        const { failure } = await runPlan(scenario, planOf(scenario, seed))
        expect(failure, `seed ${String(seed)}`).toBeNull()
      }
    })
  }

  // 3475: a server's file of peers could not be synced, and it lived on and refused everybody.
  test.each([3475])('seed %i, which once failed', async (seed) => {
    const scenario = kvScenario()
    const { failure } = await runPlan(scenario, planOf(scenario, seed))
    expect(failure).toBeNull()
  })
})

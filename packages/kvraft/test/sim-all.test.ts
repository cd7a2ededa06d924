import { kvEveryScenario } from '@lab/kvraft/testing/sim'
import { planOf, runPlan } from '@lab/sim'
import { describe, expect, test } from 'vitest'

/** `npm test -- --seed 1000` takes others. */
const FROM = Number(process.env['LAB_SEED'] ?? 1)
const SEEDS = process.env['LAB_LONG'] === '1' ? 1000 : process.env['LAB_QUICK'] === '1' ? 3 : 12
const PER_TEST = 50

describe('every kind of operation, under faults, while leadership and votes move: each result fits its revision, and revisions respect time', () => {
  for (let from = FROM; from < FROM + SEEDS; from += PER_TEST) {
    const end = Math.min(from + PER_TEST, FROM + SEEDS)
    test(`seeds ${String(from)} to ${String(end - 1)}`, { timeout: 600_000 }, async () => {
      for (let seed = from; seed < end; seed++) {
        const scenario = kvEveryScenario()
        const { failure } = await runPlan(scenario, planOf(scenario, seed))
        expect(failure, `seed ${String(seed)}`).toBeNull()
      }
    })
  }
})

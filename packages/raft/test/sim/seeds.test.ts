import { listScenario } from '@lab/raft/testing/sim'
import { planOf, runPlan } from '@lab/sim'
import { describe, expect, test } from 'vitest'

/** `npm test -- --seed 1000` takes others. */
const FROM = Number(process.env['LAB_SEED'] ?? 1)
const SEEDS = process.env['LAB_QUICK'] === '1' ? 10 : 150
const PER_TEST = 25

describe('real nodes on simulated machines: Figure 3 holds at every step, nothing acknowledged is lost, all get well again', () => {
  for (let from = FROM; from < FROM + SEEDS; from += PER_TEST) {
    test(`seeds ${from} to ${from + PER_TEST - 1}`, { timeout: 300_000 }, async () => {
      for (let seed = from; seed < from + PER_TEST; seed++) {
        const scenario = listScenario()
        const { failure } = await runPlan(scenario, planOf(scenario, seed))
        expect(failure, `seed ${seed}`).toBeNull()
      }
    })
  }
})

test('equal seeds give equal traces of real nodes, on every Node from 20 on', async () => {
  const scenario = listScenario()
  const { hash, failure } = await runPlan(scenario, planOf(scenario, 7), { hash: true })
  const again = await runPlan(listScenario(), planOf(listScenario(), 7), { hash: true })
  expect(failure).toBeNull()
  expect(again.hash).toBe(hash)
})

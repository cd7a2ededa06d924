import { planOf, runPlan } from '@lab/sim'
import { expect, test } from 'vitest'
import { shardScenario } from '@lab/shardkv/testing/sim'

const FROM = Number(process.env['LAB_SEED'] ?? 1000)
const SEEDS = Number(process.env['LAB_SEEDS'] ?? 300)
const PER_TEST = 25

for (let from = FROM; from < FROM + SEEDS; from += PER_TEST)
  test(
    `the sharded store in the simulator, seeds ${String(from)} to ${String(from + PER_TEST - 1)}`,
    { timeout: 600_000 },
    async () => {
      for (let seed = from; seed < from + PER_TEST; seed++) {
        const scenario = shardScenario()
        const { failure } = await runPlan(scenario, planOf(scenario, seed))
        expect(failure, `seed ${String(seed)}`).toBeNull()
      }
    },
  )

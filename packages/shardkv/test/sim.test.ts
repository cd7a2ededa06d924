import { planOf, runPlan, type PlanOptions } from '@lab/sim'
import { describe, expect, test } from 'vitest'
import { traceHashes } from '../../../test/shared/trace-hashes.ts'
import { shardScenario } from '@lab/shardkv/testing/sim'

/** `npm test -- --seed 1000` takes others. More of them, all long: sim.long.test.ts. */
const FROM = Number(process.env['LAB_SEED'] ?? 1)
const QUICK = process.env['LAB_QUICK'] === '1'
/** Seconds of chaos show what takes long to go wrong; many short runs show more beginnings, and cost little. */
const LONG = { seeds: QUICK ? 4 : 6 }
const SHORT = { seeds: QUICK ? 8 : 194, durationMs: 500, operationsPerSecond: 40 }
const BRIEF_FROM = FROM + LONG.seeds

describe('groups, controllers and clerks in the simulator: every history is linearizable, and every shard has one owner', () => {
  test(`seeds ${String(FROM)} to ${String(BRIEF_FROM - 1)}`, { timeout: 300_000 }, () => run(FROM, LONG))

  test(
    `seeds ${String(BRIEF_FROM)} to ${String(BRIEF_FROM + SHORT.seeds - 1)}, short ones`,
    {
      timeout: 600_000,
    },
    () => run(BRIEF_FROM, SHORT),
  )

  // As in packages/raft/test/sim.
  test('equal seeds give equal traces', async () => {
    const { seed, hashes } = traceHashes()
    const scenario = shardScenario()
    const { hash } = await runPlan(scenario, planOf(scenario, seed), { hash: true })
    expect(hash).toBe(hashes['shards'])
  })
})

async function run(
  from: number,
  { seeds, ...options }: PlanOptions & { readonly seeds: number },
): Promise<void> {
  for (let seed = from; seed < from + seeds; seed++) {
    const scenario = shardScenario()
    const { failure, undecided } = await runPlan(scenario, planOf(scenario, seed, options))
    expect(failure, `seed ${String(seed)}`).toBeNull()
    expect(undecided).toEqual([])
  }
}

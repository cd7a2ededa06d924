import { describe, expect, test } from 'vitest'
import { planOf, runPlan, shrink, simulate } from '@lab/sim'
import { toyRegister } from './toy-register.ts'

describe('shrink', () => {
  test('of a failing plan the fault and the operations that show it are left, and it fails in the same way again', async () => {
    const scenario = toyRegister({ forgetsToSync: true })
    const { failures } = await simulate(scenario, { seeds: 60, onReport: ({ failure }) => failure === null })
    const found = failures[0]
    expect(found?.failure?.code).toBe('linearizability')
    const plan = planOf(scenario, found?.plan.seed ?? 0)
    const shrunk = await shrink(scenario, plan)
    expect(shrunk?.plan.faults.length).toBeLessThanOrEqual(2)
    expect(shrunk?.plan.operations.length).toBeLessThanOrEqual(6)
    expect(shrunk?.plan.operations.length).toBeLessThan(plan.operations.length)
    const copy = JSON.parse(JSON.stringify(shrunk?.plan)) as typeof plan
    expect((await runPlan(scenario, copy)).failure?.message).toBe(shrunk?.report.failure?.message)
  })

  test('a plan that does not fail is not shrunk', async () => {
    expect(await shrink(toyRegister(), planOf(toyRegister(), 1))).toBeNull()
  })

  test('it gives up after so many runs, with what it has', async () => {
    const scenario = toyRegister({ forgetsToSync: true })
    const { failures } = await simulate(scenario, { seeds: 60, onReport: ({ failure }) => failure === null })
    const shrunk = await shrink(scenario, planOf(scenario, failures[0]?.plan.seed ?? 0), { runsMax: 3 })
    expect(shrunk?.runs).toBe(3)
    expect(shrunk?.report.failure).not.toBeNull()
  })
})

import type { TraceEvent } from '@lab/rpc'
import { describe, expect, test } from 'vitest'
import { FAULT_NAMES, planOf, runPlan, type Report, type Scenario } from '@lab/sim'
import { toyRegister } from './toy-register.ts'

type Toy = ReturnType<typeof toyRegister>

function runSeed(seed: number, scenario: Toy = toyRegister(), hash = false): Promise<Report> {
  return runPlan(scenario, planOf(scenario, seed), { hash })
}

describe('one seed, one history', () => {
  test('equal seeds give equal traces, event by event; another seed gives another', async () => {
    const trace = async (seed: number): Promise<readonly TraceEvent[]> => {
      const events: TraceEvent[] = []
      const scenario = toyRegister()
      await runPlan(scenario, planOf(scenario, seed), { onEvent: (event) => events.push(event) })
      return events
    }
    const first = await trace(4)
    expect(first.length).toBeGreaterThan(200)
    expect(await trace(4)).toEqual(first)
    expect(await trace(5)).not.toEqual(first)
  })

  test('whether somebody looks changes nothing but what is seen', async () => {
    const seen = await runSeed(6, toyRegister(), true)
    const unseen = await runSeed(6)
    expect(seen.hash).toMatch(/^[0-9a-f]{16}$/)
    expect(unseen.operations).toEqual(seen.operations)
    expect(unseen.steps).toBe(seen.steps)
  })

  test('this seed has had this trace on every Node from 20 on', async () => {
    // A change of what rpc does or tells changes it: then take what this test sees, on each Node.
    const { hash, events } = await runSeed(1, toyRegister(), true)
    expect({ hash, events }).toEqual({ hash: 'bbc3b18a191af50a', events: 606 })
  })
})

describe('faults', () => {
  test('a right server is found right, whatever happens to it', async () => {
    for (let seed = 1; seed <= 40; seed++)
      expect((await runSeed(seed)).failure, `seed ${String(seed)}`).toBeNull()
  })

  test('a server that answers before it has synced is found out by a crash', async () => {
    const codes = []
    for (let seed = 1; seed <= 40; seed++)
      codes.push((await runSeed(seed, toyRegister({ forgetsToSync: true }))).failure?.code)
    expect(codes).toContain('linearizability')
  })

  test('every kind of fault is drawn, and no seed has them all', () => {
    const scenario: Scenario = {
      name: 'nothing',
      start: () => Promise.resolve(null),
      operate: () => undefined,
    }
    const kinds = Array.from(
      { length: 60 },
      (_, seed) => new Set(planOf(scenario, seed).faults.map(({ what }) => what)),
    )
    expect(new Set(kinds.flatMap((set) => [...set]))).toEqual(new Set(FAULT_NAMES))
    expect(Math.max(...kinds.map(({ size }) => size))).toBeLessThan(FAULT_NAMES.length)
  })
})

describe('what goes wrong is told', () => {
  test('an invariant that breaks ends the run at once, with what it saw and when', async () => {
    const scenario: Toy = {
      ...toyRegister(),
      watch: () => ({
        event(event) {
          if (event.k === 'return' && event['id'] === 3) throw new Error('three is too many')
        },
      }),
    }
    const { failure, operations } = await runSeed(1, scenario)
    expect(failure?.code).toBe('invariant')
    expect(failure?.message).toMatch(/^at 0\.\d+ s, faults: three is too many$/)
    expect(operations.length).toBeLessThan(6)
  })

  test('a cluster that does not get well after the last fault has failed, too', async () => {
    const scenario: Toy = { ...toyRegister(), watch: () => ({ hasConverged: () => false }) }
    const plan = planOf(scenario, 1)
    const { failure, simulatedMs } = await runPlan(scenario, plan, { healMs: 1000 })
    expect(failure?.code).toBe('liveness')
    expect(simulatedMs).toBeGreaterThanOrEqual(plan.durationMs)
  })
})

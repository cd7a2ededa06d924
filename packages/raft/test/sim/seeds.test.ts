import {
  AMBUSHES,
  ambushScenario,
  groupsScenario,
  listScenario,
  registersScenario,
  type AmbushName,
} from '@lab/raft/testing/sim'
import { planOf, runPlan, type Scenario } from '@lab/sim'
import { describe, expect, test } from 'vitest'
import { traceHashes } from '../../../../test/shared/trace-hashes.ts'

/** `npm test -- --seed 1000` takes others. */
const FROM = Number(process.env['LAB_SEED'] ?? 1)
const QUICK = process.env['LAB_QUICK'] === '1'
const PER_TEST = 25

function everySeed<S, C, Op, R>(make: () => Scenario<S, C, Op, R>, seeds: number): void {
  const all = QUICK ? 10 : seeds
  for (let from = FROM; from < FROM + all; from += PER_TEST) {
    const last = Math.min(from + PER_TEST, FROM + all) - 1
    test(`seeds ${from} to ${last}`, { timeout: 300_000 }, async () => {
      for (let seed = from; seed <= last; seed++) {
        const scenario = make()
        const { failure } = await runPlan(scenario, planOf(scenario, seed))
        expect(failure, `seed ${seed}`).toBeNull()
      }
    })
  }
}

describe('real nodes on simulated machines: Figure 3 holds at every step, nothing acknowledged is lost, all get well again, also while members change', () => {
  everySeed(listScenario, 25)
})

describe('§8, thesis §6.4: every read that promises it is linearizable, with leases, at leaders that may be none any more, by clocks that differ', () => {
  everySeed(registersScenario, 12)
})

describe('hosts of many groups on one log: what each group promises holds when hosts crash, restart and pause', () => {
  everySeed(groupsScenario, 6)
})

describe('somebody who sees everything strikes when it hurts: no read is stale, nothing is committed twice, nobody believes a wiped server', () => {
  everySeed(ambushScenario, 4)

  // What each must have brought about, or it ambushes nobody.
  test.each([
    ['lateAnswers', /^nothing from/],
    ['lateHandOver', /hands over leadership/],
    ['amnesia', /^crash/],
    ['blindSuccessor', /^disk of/],
    ['splitChange', /^partition .*s[12]/],
    ['wipedVoter', /^wipe/],
  ] as const satisfies readonly (readonly [AmbushName, RegExp])[])('%s strikes', async (name, struck) => {
    const scenario = ambushScenario([name])
    let strikes = 0
    const { failure } = await runPlan(scenario, planOf(scenario, 1, { operationsPerSecond: 20 }), {
      onEvent: (event) => {
        const told = event.k === 'role' ? event.why : event['what']
        if (struck.test(String(told))) strikes++
      },
    })
    expect(failure).toBeNull()
    expect(strikes).toBeGreaterThan(0)
  })

  test('each is one of those above', () => {
    expect(Object.keys(AMBUSHES)).toHaveLength(6)
  })
})

test('an operator gets to change members, and to have a removed server come back with an empty disk', async () => {
  const seen = new Set<string>()
  for (let seed = 1; seed <= 8; seed++) {
    const scenario = listScenario()
    const { failure } = await runPlan(scenario, planOf(scenario, seed, { nodes: 3 }), {
      onEvent: ({ k, ...event }) => {
        if (k === 'note' && String(event['text']).startsWith('done as of')) seen.add('changed')
        if (k === 'fault' && event['what'] === 'wipe') seen.add('wiped')
      },
    })
    expect(failure, `seed ${seed}`).toBeNull()
  }
  expect([...seen].sort()).toEqual(['changed', 'wiped'])
})

/**
 * They change when what servers do or tell changes, and then `node scripts/ci/hashes.mjs --write` writes them anew. CI sees that they are
 * the same on every Node.
 */
const { seed: SEED, hashes: HASHES } = traceHashes()

test.each([
  ['raft', listScenario],
  ['reads', registersScenario],
  ['groups', groupsScenario],
] as const)('equal seeds give equal traces of real nodes, byte by byte: %s', async (name, make) => {
  const scenario = make() as Scenario
  const { hash, failure } = await runPlan(scenario, planOf(scenario, SEED), { hash: true })
  expect(failure).toBeNull()
  expect(hash).toBe(HASHES[name])
})

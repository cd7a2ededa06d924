import { kvEveryScenario, kvScenario } from '@lab/kvraft/testing/sim'
import { ambushScenario, groupsScenario, listScenario, registersScenario } from '@lab/raft/testing/sim'
import { shardScenario } from '@lab/shardkv/testing/sim'
import type { Scenario } from '@lab/sim'

const SCENARIOS: Readonly<Record<string, () => Scenario>> = {
  kv: () => kvScenario(),
  'kv-all': () => kvEveryScenario(),
  raft: () => listScenario(),
  groups: () => groupsScenario(),
  shards: () => shardScenario(),
  reads: () => registersScenario(),
  ambush: () => ambushScenario(),
}

export const SCENARIO_NAMES = Object.keys(SCENARIOS)

/** @param name one of {@link SCENARIO_NAMES} */
export function scenarioOf(name: string): Scenario {
  const make = SCENARIOS[name]
  if (make === undefined) throw new Error(`there is no scenario ${name}`)
  return make()
}

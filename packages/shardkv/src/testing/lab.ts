/**
 * The labs' suite of part 4B with both challenges, for any sharded store: hand it a controller, a `makeServer` and a `makeClerk`, get
 * tests that belong to no test runner.
 *
 *     for (const test of shardLab({ makeController, makeControllerClerk, makeServer, makeClerk })) it(test.title, () => test.run(1))
 *
 * Everything happens in virtual time, and a seed fixes all of it as long as servers and clerks take their time from `env.clock`
 * and their chance from `env.random`.
 */
import { runLab, type LabTest } from '@lab/raft/testing'
import { challengeScenarios } from './lab-4b-challenges.ts'
import { concurrentScenarios } from './lab-4b-concurrent.ts'
import { movingScenarios } from './lab-4b-moving.ts'
import { LAB_SHARD_PEERS, ShardLabCluster } from './lab-cluster.ts'
import type { ShardLabOptions } from './lab-interface.ts'
import type { Scenario } from './lab-scenario.ts'

/** Every test of part 4B. */
export function shardLab(options: ShardLabOptions): LabTest[] {
  return [...movingScenarios, ...concurrentScenarios, ...challengeScenarios].map((scenario) =>
    labTest(scenario, options),
  )
}

function labTest(
  { name, unreliable = false, maxRaftState, play }: Scenario,
  options: ShardLabOptions,
): LabTest {
  const title = `${name} (4B)`
  const peers = LAB_SHARD_PEERS
  return {
    ...{ title, peers, part: '4B' },
    run: (seed, { trace } = {}) =>
      runLab(
        {
          ...{ title, peers, play, unit: 'ops' },
          make: (clock, sink) =>
            new ShardLabCluster({
              ...options,
              seed,
              clock,
              maxRaftState,
              trace: sink,
              reliable: !unreliable,
            }),
          done: (lab) => lab.operations,
        },
        seed,
        trace,
      ),
  }
}

/**
 * The labs' suite of part 4B with both challenges, for any sharded store: hand it a controller, a `makeServer` and a `makeClerk`, get
 * tests that belong to no test runner.
 *
 *     for (const test of shardLab({ makeController, makeControllerClerk, makeServer, makeClerk })) it(test.title, () => test.run(1))
 *
 * Everything happens in virtual time, and a seed fixes all of it as long as servers and clerks take their time from `env.clock`
 * and their chance from `env.random`.
 */
import { labTest, type LabTest } from '@lab/raft/testing'
import { challengeScenarios } from './lab-4b-challenges.ts'
import { concurrentScenarios } from './lab-4b-concurrent.ts'
import { movingScenarios } from './lab-4b-moving.ts'
import { LAB_SHARD_PEERS, ShardLabCluster } from './lab-cluster.ts'
import type { ShardLabOptions } from './lab-interface.ts'
import type { Scenario } from './lab-scenario.ts'

/** Every test of part 4B. */
export function shardLab(options: ShardLabOptions): LabTest[] {
  return [...movingScenarios, ...concurrentScenarios, ...challengeScenarios].map((scenario) =>
    testOf(scenario, options),
  )
}

function testOf(
  { name, unreliable = false, maxRaftState, play }: Scenario,
  options: ShardLabOptions,
): LabTest {
  return labTest({
    ...{ name, part: '4B', play, peers: LAB_SHARD_PEERS, unit: 'ops' },
    make: (run) => new ShardLabCluster({ ...options, ...run, maxRaftState, reliable: !unreliable }),
    done: (lab) => lab.operations,
  })
}

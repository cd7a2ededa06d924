/**
 * The labs' suite of part 4A, for any shard controller: hand it a `makeServer` and a `makeClerk`, get tests that belong to no test
 * runner.
 *
 *     for (const test of controllerLab({ makeServer, makeClerk })) it(test.title, () => test.run(1))
 *
 * Everything happens in virtual time, and a seed fixes all of it as long as servers and clerks take their time from `env.clock`
 * and their chance from `env.random`.
 */
import { labTest, type LabTest } from '@lab/raft/testing'
import { scenarios4A, type Scenario } from './lab-4a.ts'
import { ControllerLabCluster, LAB_CONTROLLERS } from './lab-cluster.ts'
import type { ControllerLabOptions } from './lab-interface.ts'

/** Every test of part 4A. */
export function controllerLab(options: ControllerLabOptions): LabTest[] {
  return scenarios4A.map((scenario) => testOf(scenario, options))
}

function testOf({ name, play }: Scenario, options: ControllerLabOptions): LabTest {
  return labTest({
    ...{ name, part: '4A', play, peers: LAB_CONTROLLERS, unit: 'ops' },
    make: (run) => new ControllerLabCluster({ ...options, ...run }),
    done: (lab) => lab.operations,
  })
}

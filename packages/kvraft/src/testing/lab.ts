/**
 * The labs' suite of part 3, for any key/value service: hand it a `makeServer` and a `makeClerk`, get tests that belong to no
 * test runner.
 *
 *     for (const test of kvLab({ makeServer, makeClerk })) it(test.title, () => test.run(1))
 *
 * Everything happens in virtual time, and a seed fixes all of it as long as servers and clerks take their time from `env.clock`
 * and their chance from `env.random`.
 */
import { labTest, type LabTest } from '@lab/raft/testing'
import { scenarios3A } from './lab-3a.ts'
import { scenarios3B } from './lab-3b.ts'
import { KvLabCluster } from './lab-cluster.ts'
import type { KvLabOptions } from './lab-interface.ts'
import type { Scenario } from './lab-scenario.ts'

/** Every test of the parts 3A and 3B. */
export function kvLab(options: KvLabOptions): LabTest[] {
  return [...scenarios3A, ...scenarios3B].map((scenario) => testOf(scenario, options))
}

function testOf(
  { name, part, servers, unreliable = false, maxRaftState, play }: Scenario,
  options: KvLabOptions,
): LabTest {
  return labTest({
    ...{ name, part, play, peers: servers, unit: 'ops' },
    make: (run) => new KvLabCluster({ ...options, ...run, servers, maxRaftState, reliable: !unreliable }),
    done: (lab) => lab.operations,
  })
}

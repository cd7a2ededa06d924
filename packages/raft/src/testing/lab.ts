/**
 * The labs' Raft suite, for any Raft: hand it a `make`, get tests that belong to no test runner.
 *
 *     for (const test of raftLab({ make: (...args) => new MyRaft(...args) }))
 *       it(test.title, () => test.run(1))
 *
 * Everything happens in virtual time: a test of half a minute takes some milliseconds, and a seed fixes all of it as long
 * as the Raft takes its time from `env.clock` and its chance from `env.random`.
 */
import { scenarios2A } from './lab-2a.ts'
import { agreementScenarios } from './lab-2b-agreement.ts'
import { failureScenarios } from './lab-2b-failures.ts'
import { persistenceScenarios } from './lab-2c-persistence.ts'
import { chaosScenarios } from './lab-2c-chaos.ts'
import { figure8Scenarios } from './lab-2c-figure8.ts'
import { scenarios2D } from './lab-2d.ts'
import { LabCluster } from './lab-cluster.ts'
import type { LabTest, RaftLabOptions } from './lab-interface.ts'
import { labTest } from './lab-run.ts'
import type { Scenario } from './lab-scenario.ts'

const scenarios: readonly Scenario[] = [
  ...scenarios2A,
  ...agreementScenarios,
  ...failureScenarios,
  ...persistenceScenarios,
  ...figure8Scenarios,
  ...chaosScenarios,
  ...scenarios2D,
]

/** Every test of the parts 2A, 2B, 2C and 2D. */
export function raftLab(options: RaftLabOptions): LabTest[] {
  return scenarios.map((scenario) => testOf(scenario, options))
}

function testOf(
  { name, part, servers, unreliable = false, snapshots = false, play }: Scenario,
  { make, describe }: RaftLabOptions,
): LabTest {
  return labTest({
    ...{ name, part, play, peers: servers, unit: 'commits' },
    make: (run) => new LabCluster({ ...run, make, describe, servers, snapshots, reliable: !unreliable }),
    done: (lab) => lab.safety.highestIndex,
  })
}

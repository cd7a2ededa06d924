/**
 * The labs' suite of part 4A, for any shard controller: hand it a `makeServer` and a `makeClerk`, get tests that belong to no test
 * runner.
 *
 *     for (const test of controllerLab({ makeServer, makeClerk })) it(test.title, () => test.run(1))
 *
 * Everything happens in virtual time, and a seed fixes all of it as long as servers and clerks take their time from `env.clock`
 * and their chance from `env.random`.
 */
import { runLab, type LabTest } from '@lab/raft/testing'
import { scenarios4A, type Scenario } from './lab-4a.ts'
import { ControllerLabCluster, LAB_CONTROLLERS } from './lab-cluster.ts'
import type { ControllerLabOptions } from './lab-interface.ts'

/** Every test of part 4A. */
export function controllerLab(options: ControllerLabOptions): LabTest[] {
  return scenarios4A.map((scenario) => labTest(scenario, options))
}

function labTest({ name, play }: Scenario, options: ControllerLabOptions): LabTest {
  const title = `${name} (4A)`
  const peers = LAB_CONTROLLERS
  return {
    ...{ title, peers, part: '4A' },
    run: (seed, { trace } = {}) =>
      runLab(
        {
          ...{ title, peers, play, unit: 'ops' },
          make: (clock, sink) => new ControllerLabCluster({ ...options, seed, clock, trace: sink }),
          done: (lab) => lab.operations,
        },
        seed,
        trace,
      ),
  }
}

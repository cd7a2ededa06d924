import { ManualClock } from '@lab/rpc/testing'
import { LabCluster } from './lab-cluster.ts'
import { fail, LabFailure } from './lab-failure.ts'
import type { LabResult, LabRunOptions, RaftLabOptions } from './lab-interface.ts'
import type { Scenario } from './lab-scenario.ts'
import { stampedSink } from './lab-trace.ts'

/** No single test of the labs may take longer. */
const LIMIT_MS = 120_000

/** Plays one scenario from start to end, on a clock and a network of its own. */
export async function runScenario(
  scenario: Scenario & { readonly title: string },
  options: RaftLabOptions,
  seed: number,
  { trace }: LabRunOptions,
): Promise<LabResult> {
  const clock = new ManualClock()
  const sink = trace === undefined ? undefined : stampedSink(clock, trace)
  const lab = new LabCluster({
    make: options.make,
    describe: options.describe,
    servers: scenario.servers,
    seed,
    clock,
    trace: sink,
    reliable: scenario.unreliable !== true,
    snapshots: scenario.snapshots === true,
  })
  const limit = lab.sleep(LIMIT_MS).then(() => fail('inTime', 'the test was not over after 120 s'))
  try {
    await clock.settle(Promise.race([scenario.play(lab), lab.broken, limit]))
    return {
      title: scenario.title,
      seed,
      seconds: clock.now() / 1000,
      peers: scenario.servers,
      rpcs: lab.network.totalCount,
      bytes: lab.network.totalBytes,
      commits: lab.safety.highestIndex,
    }
  } catch (thrown) {
    if (!(thrown instanceof LabFailure)) throw thrown
    sink?.({ n: '', k: 'invariant', rule: thrown.code, why: thrown.message.replaceAll('\n ', ';') })
    throw thrown.in(scenario.title, seed, clock.now())
  } finally {
    lab.stop()
  }
}

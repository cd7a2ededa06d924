import { formatViolation, TraceChecker } from '@lab/trace'
import { expect, onTestFinished } from 'vitest'
import type { StateMachine } from '../../src/index.ts'
import { RaftCluster, type RaftClusterOptions } from '../../src/testing/cluster.ts'

/** A cluster whose trace is held to every rule of the paper when the test is over, whatever else the test looks at. */
export async function startChecked<M extends StateMachine = StateMachine>(
  options: RaftClusterOptions<M> = {},
): Promise<RaftCluster<M>> {
  const cluster = await RaftCluster.start<M>(options)
  onTestFinished(() => {
    const checker = new TraceChecker()
    expect(cluster.trace.flatMap((event) => checker.feed(event)).map(formatViolation)).toEqual([])
  })
  return cluster
}

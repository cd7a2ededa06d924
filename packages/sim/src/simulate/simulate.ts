import type { Milliseconds } from '@lab/rpc'
import { planOf, type PlanOptions } from './plan.ts'
import { runPlan, type Report, type RunOptions } from './run.ts'
import type { Scenario } from './scenario.ts'

export interface SimulateOptions extends PlanOptions {
  /** How many. Default 100. */
  readonly seeds?: number
  /** The first. Default 1. */
  readonly from?: number
  readonly run?: RunOptions
  /** Called after each seed; false ends it. */
  readonly onReport?: (report: Report) => boolean | void
}

/** What many seeds came to. */
export interface Simulated {
  readonly seeds: number
  /** Reports of the seeds that failed. */
  readonly failures: readonly Report[]
  readonly simulatedMs: Milliseconds
  readonly operations: number
  readonly faults: number
  /** Histories that the checker could not decide within its budget. */
  readonly undecided: number
}

/** Runs seed after seed, each in a fresh world. */
export async function simulate<S, C, Op, R>(
  scenario: Scenario<S, C, Op, R>,
  options: SimulateOptions = {},
): Promise<Simulated> {
  const { seeds = 100, from = 1 } = options
  const sum = { seeds: 0, simulatedMs: 0, operations: 0, faults: 0, undecided: 0 }
  const failures: Report[] = []
  for (let seed = from; seed < from + seeds; seed++) {
    const plan = planOf(scenario, seed, options)
    const report = await runPlan(scenario, plan, options.run)
    sum.seeds++
    sum.simulatedMs += report.simulatedMs
    sum.operations += report.operations.length
    sum.faults += plan.faults.length
    if (report.undecided.length > 0) sum.undecided++
    if (report.failure !== null) failures.push(report)
    if (options.onReport?.(report) === false) break
  }
  return { ...sum, failures }
}

/**
 * Makes a failing plan smaller: drops faults, then operations, then servers, as long as it goes on failing in the same way. A
 * short story is easier to follow than a long one.
 */
import type { Fault } from '../nemesis/fault.ts'
import { nodeNames, type Plan } from './plan.ts'
import { runPlan, type Report, type RunOptions } from './run.ts'
import type { Scenario } from './scenario.ts'

export interface ShrinkOptions {
  /** Runs at most. Default 500. */
  readonly runsMax?: number
  readonly run?: RunOptions
  /** Called whenever the plan has become smaller. */
  readonly onSmaller?: (plan: Plan) => void
}

export interface Shrunk<Op, Result> {
  readonly plan: Plan<Op>
  /** Of the last run that failed. */
  readonly report: Report<Op, Result>
  readonly runs: number
}

const RUNS_MAX = 500

/** @param plan one that fails; null when it does not */
export async function shrink<S, C, Op, R>(
  scenario: Scenario<S, C, Op, R>,
  plan: Plan<Op>,
  options: ShrinkOptions = {},
): Promise<Shrunk<Op, R> | null> {
  const report = await runPlan(scenario, plan, options.run)
  if (report.failure === null) return null
  const shrinker = new Shrinker(scenario, report, options)
  await shrinker.dropParts((from, faults: readonly Fault[]) => ({ ...from, faults }), plan.faults)
  await shrinker.dropParts(
    (from, operations: Plan<Op>['operations']) => ({ ...from, operations }),
    plan.operations,
  )
  await shrinker.dropNodes()
  return { plan: shrinker.report.plan, report: shrinker.report, runs: shrinker.runs }
}

class Shrinker<S, C, Op, R> {
  report: Report<Op, R>
  runs = 1
  readonly #scenario: Scenario<S, C, Op, R>
  readonly #options: ShrinkOptions

  constructor(scenario: Scenario<S, C, Op, R>, report: Report<Op, R>, options: ShrinkOptions) {
    this.#scenario = scenario
    this.report = report
    this.#options = options
  }

  /** Leaves out halves, then quarters, … then single ones (Zeller's ddmin, without its complements). */
  async dropParts<T>(
    withParts: (plan: Plan<Op>, parts: readonly T[]) => Plan<Op>,
    all: readonly T[],
  ): Promise<void> {
    let left = all
    for (let size = Math.ceil(left.length / 2); size >= 1; size = size === 1 ? 0 : Math.ceil(size / 2)) {
      for (let at = 0; at < left.length;) {
        const without = [...left.slice(0, at), ...left.slice(at + size)]
        if (await this.#stillFails(withParts(this.report.plan, without))) left = without
        else at += size
      }
    }
  }

  async dropNodes(): Promise<void> {
    for (let nodes = this.report.plan.nodes - 1; nodes >= 1; nodes--)
      if (!(await this.#stillFails(withNodes(this.report.plan, nodes)))) return
  }

  async #stillFails(plan: Plan<Op>): Promise<boolean> {
    if (this.runs >= (this.#options.runsMax ?? RUNS_MAX)) return false
    this.runs++
    const report = await runPlan(this.#scenario, plan, this.#options.run)
    if (report.failure?.code !== this.report.failure?.code) return false
    this.report = report
    this.#options.onSmaller?.(plan)
    return true
  }
}

/** Without the servers above `nodes`, and without what happens to them. */
function withNodes<Op>(plan: Plan<Op>, nodes: number): Plan<Op> {
  const gone = new Set(nodeNames(plan.nodes).slice(nodes))
  const faults = plan.faults.flatMap((fault): Fault[] => {
    if (fault.what === 'partition')
      return [{ ...fault, groups: fault.groups.map((group) => group.filter((node) => !gone.has(node))) }]
    if ('on' in fault && gone.has(fault.on)) return []
    if (fault.what === 'one-way' && (gone.has(fault.from) || gone.has(fault.to))) return []
    return [fault]
  })
  return { ...plan, nodes, faults }
}

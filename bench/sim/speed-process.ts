/** The process that simulates: one load, again and again; it tells its parent how fast, and ends. */
import { kvScenario } from '@lab/kvraft/testing/sim'
import { planOf, runPlan } from '@lab/sim'
import { NODES, type Load, type Speed } from './load.ts'

/** Code becomes fast slowly: of so many runs the best counts, and the first is told besides. */
const RUNS = 12

const scenario = kvScenario()
const load = JSON.parse(process.argv[2] ?? '') as Load
const plan = planOf(scenario, 1, { ...load, nodes: NODES, calm: true })
const speeds: number[] = []
let stepsPerMs = 0
for (let run = 0; run < RUNS; run++) {
  const started = process.cpuUsage().user
  const report = await runPlan(scenario, plan)
  if (report.failure !== null) throw report.failure
  const cpuMs = (process.cpuUsage().user - started) / 1000
  speeds.push(report.simulatedMs / cpuMs)
  stepsPerMs = report.steps / report.simulatedMs
}
process.send?.({ best: Math.max(...speeds), first: speeds[0] ?? 0, stepsPerMs } satisfies Speed)

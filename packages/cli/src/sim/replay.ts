/** `lab sim replay`: one seed, or one plan, once more. */
import { closeSync, mkdirSync, openSync, readFileSync, writeFileSync, writeSync } from 'node:fs'
import { dirname } from 'node:path'
import { TRACE_VERSION, type TraceEvent, type TraceHeader } from '@lab/rpc'
import { formatHistory, planOf, runPlan, type Plan, type Report } from '@lab/sim'
import type { ReplayFlags } from '../commands/sim.ts'
import type { Io } from '../io.ts'
import { formatRow } from '../output.ts'
import { usage } from '../parse.ts'
import { planOptions, throwIfFailed } from './run-seeds.ts'
import { scenarioOf } from './scenarios.ts'
import { failureLines } from './seed-commands.ts'

/** @throws {CliError} `FAILED` when it fails, `USAGE` without a seed or plan */
export async function replay(flags: ReplayFlags, io: Io): Promise<void> {
  const plan = planFrom(flags)
  const scenario = scenarioOf(plan.scenario)
  const trace = flags.trace === undefined ? null : openTrace(flags.trace, plan)
  const report = await runPlan(scenario, plan, {
    hash: true,
    ...(trace === null ? {} : { onEvent: trace.write }),
  })
  trace?.close()
  if (flags.history !== undefined) writeHistory(flags.history, report, scenario.model?.name ?? plan.scenario)
  if (report.failure !== null) for (const line of failureLines(report)) io.talk(line)
  const row = rowOf(report)
  const sentence = `seed ${String(plan.seed)}: ${report.failure === null ? 'all held' : report.failure.code}, ${String(row.operations)} operations, ${String(row.events)} events, trace ${row.hash}`
  await io.out(formatRow(row, flags.output, sentence))
  throwIfFailed(report.failure === null ? 0 : 1)
}

/** The plan of the flags: of a file, or of a seed. @throws {CliError} `USAGE` */
export function planFrom(flags: Pick<ReplayFlags, 'scenario' | 'seed' | 'plan' | 'nodes'>): Plan {
  const { plan, seed, scenario } = flags
  if (plan !== undefined) return readPlan(plan)
  if (seed === undefined) throw usage('name a seed: --seed 17, or a plan: --plan FILE')
  return planOf(scenarioOf(scenario), seed, planOptions(flags))
}

function readPlan(path: string): Plan {
  try {
    const plan = JSON.parse(readFileSync(path, 'utf8')) as Plan
    if (Array.isArray(plan.faults) && Array.isArray(plan.operations)) return plan
  } catch (cause) {
    throw usage(`${path} cannot be read as a plan`, { cause })
  }
  throw usage(`${path} is no plan of lab sim shrink`)
}

/** What the run came to, for scripts. */
function rowOf({ plan, failure, operations, events, hash, simulatedMs, undecided }: Report) {
  return {
    scenario: plan.scenario,
    seed: plan.seed,
    failure: failure?.code ?? null,
    why: failure?.message ?? null,
    nodes: plan.nodes,
    faults: plan.faults.length,
    operations: operations.length,
    undecided,
    simulatedSeconds: Math.round(simulatedMs) / 1000,
    events,
    hash,
  }
}

function openTrace(path: string, plan: Plan): { write: (event: TraceEvent) => void; close: () => void } {
  mkdirSync(dirname(path), { recursive: true })
  const file = openSync(path, 'w')
  const nodes = Array.from({ length: plan.nodes }, (_, at) => `n${String(at + 1)}`)
  const what = `lab sim, scenario ${plan.scenario}`
  const header: TraceHeader = { v: TRACE_VERSION, what, start: 0, seed: plan.seed, nodes }
  let waiting = `${JSON.stringify(header)}\n`
  const flush = (): void => {
    writeSync(file, waiting)
    waiting = ''
  }
  return {
    write: (event) => {
      waiting += `${JSON.stringify(event)}\n`
      if (waiting.length > 64 * 1024) flush()
    },
    close: () => {
      flush()
      closeSync(file)
    },
  }
}

function writeHistory(path: string, { plan, operations }: Report, model: string): void {
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(path, formatHistory(operations, { model, what: plan.scenario, seed: plan.seed }))
}

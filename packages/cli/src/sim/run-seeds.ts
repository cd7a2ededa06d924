/** `lab sim run`: many seeds in this process. */
import { simulate, type PlanOptions, type Report, type Simulated } from '@lab/sim'
import type { RunFlags, SimFlags } from '../commands/sim.ts'
import { CliError } from '../errors.ts'
import type { Io } from '../io.ts'
import { formatRow, type Row } from '../output.ts'
import { scenarioOf } from './scenarios.ts'
import { failureLines } from './seed-commands.ts'

/** @throws {CliError} `FAILED` when a seed failed */
export async function runSeeds(flags: RunFlags, io: Io): Promise<void> {
  const row = await someSeeds(flags, io)
  await io.out(formatRow(row, flags.output, sentence(row)))
  throwIfFailed(row.failed)
}

/** Tells of each seed that failed, at once. */
export async function someSeeds(flags: RunFlags, io: Io): Promise<Summary> {
  const { scenario, seeds, from } = flags
  const started = performance.now()
  const onReport = (report: Report): boolean => {
    if (report.failure !== null) for (const line of failureLines(report)) io.talk(line)
    return !io.signal.aborted
  }
  const done = await simulate(scenarioOf(scenario), { seeds, from, onReport, ...planOptions(flags) })
  return { scenario, from, ...summaryOf(done, performance.now() - started) }
}

export function planOptions({ nodes, seconds }: Pick<SimFlags, 'nodes' | 'seconds'>): PlanOptions {
  return {
    ...(nodes === undefined ? {} : { nodes }),
    ...(seconds === undefined ? {} : { durationMs: seconds * 1000 }),
  }
}

/** @throws {CliError} `FAILED` unless `count` is 0 */
export function throwIfFailed(count: number): void {
  if (count > 0) throw new CliError('FAILED', `${String(count)} ${count === 1 ? 'seed' : 'seeds'} failed`)
}

export type Summary = Row & {
  readonly seeds: number
  readonly failed: number
  /** The first seeds that failed. */
  readonly failedSeeds: readonly number[]
  readonly undecided: number
  readonly faults: number
  readonly operations: number
  readonly simulatedSeconds: number
  readonly seconds: number
}

function summaryOf({ failures, simulatedMs, ...rest }: Simulated, elapsedMs: number): Summary {
  return {
    ...rest,
    failed: failures.length,
    failedSeeds: failures.map(({ plan }) => plan.seed).slice(0, 20),
    simulatedSeconds: Math.round(simulatedMs / 1000),
    seconds: Math.round(elapsedMs / 100) / 10,
  }
}

/** A summary for people. */
export function sentence({
  seeds,
  failed,
  undecided,
  faults,
  operations,
  simulatedSeconds,
  seconds,
}: Summary): string {
  const speed = seconds === 0 ? '' : `, ${String(Math.round(simulatedSeconds / seconds))} × real time`
  const doubt = undecided === 0 ? '' : `, ${String(undecided)} histories too hard to judge`
  return (
    `${String(seeds)} seeds, ${String(failed)} failed${doubt}: ${String(faults)} faults, ${String(operations)} operations, ` +
    `${duration(simulatedSeconds)} of virtual time in ${String(seconds)} s${speed}`
  )
}

function duration(seconds: number): string {
  if (seconds < 600) return `${String(seconds)} s`
  return seconds < 36_000 ? `${(seconds / 60).toFixed(0)} minutes` : `${(seconds / 3600).toFixed(1)} hours`
}

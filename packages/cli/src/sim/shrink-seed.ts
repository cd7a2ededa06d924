/** `lab sim shrink`: the smallest plan that still fails. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { describeFault, shrink, type Fault } from '@lab/sim'
import type { ShrinkFlags } from '../commands/sim.ts'
import type { Io } from '../io.ts'
import { formatRow } from '../output.ts'
import { planFrom } from './replay.ts'
import { throwIfFailed } from './run-seeds.ts'
import { scenarioOf } from './scenarios.ts'

/** Exit code 1 when there is a failure to shrink, 0 when the seed does not fail. */
export async function shrinkSeed(flags: ShrinkFlags, io: Io): Promise<void> {
  const plan = planFrom(flags)
  const shrunk = await shrink(scenarioOf(plan.scenario), plan, {
    onSmaller: ({ faults, operations, nodes }) =>
      io.talk(
        `fails with ${String(faults.length)} faults, ${String(operations.length)} operations, ${String(nodes)} servers`,
      ),
  })
  if (shrunk === null) {
    await io.out(
      formatRow({ seed: plan.seed, failure: null }, flags.output, `seed ${String(plan.seed)} does not fail`),
    )
    return
  }
  const out = flags.out ?? `.lab/sim/${plan.scenario}-${String(plan.seed)}.plan.json`
  mkdirSync(dirname(out), { recursive: true })
  writeFileSync(out, `${JSON.stringify(shrunk.plan, null, 2)}\n`)
  const { faults, operations, nodes } = shrunk.plan
  const row = {
    seed: plan.seed,
    failure: shrunk.report.failure?.code ?? null,
    why: shrunk.report.failure?.message ?? null,
    nodes,
    faults: faults.length,
    operations: operations.length,
    runs: shrunk.runs,
    plan: out,
  }
  const text = [
    `after ${String(shrunk.runs)} runs: ${String(nodes)} servers, ${String(operations.length)} operations, ${String(faults.length)} faults`,
    ...faults.map((fault) => `  ${timeOf(fault)}  ${describeFault(fault)}`),
    ...(row.why ?? '').split('\n').map((line) => `  ${line}`),
    `  replay  npx lab sim replay --plan ${out} --trace ${out.replace('.plan.json', '')}.jsonl`,
  ].join('\n')
  await io.out(formatRow(row, flags.output, text))
  throwIfFailed(1)
}

function timeOf({ at, forMs }: Fault): string {
  return `${(at / 1000).toFixed(3)} s for ${(forMs / 1000).toFixed(3)} s`
}

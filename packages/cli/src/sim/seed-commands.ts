import type { Report } from '@lab/sim'

/** What went wrong, and the commands that show it. */
export function failureLines({ plan, failure }: Report): string[] {
  const { scenario, seed, nodes, durationMs, faults, operations } = plan
  const which = `--scenario ${scenario} --seed ${String(seed)} --nodes ${String(nodes)} --seconds ${String(durationMs / 1000)}`
  const trace = `.lab/sim/${scenario}-${String(seed)}.jsonl`
  return [
    `seed ${String(seed)} failed (${failure?.code ?? ''}): ${String(nodes)} servers, ${String(faults.length)} faults, ${String(operations.length)} operations`,
    ...(failure?.message ?? '').split('\n').map((line) => `  ${line}`),
    `  replay  npx lab sim replay ${which} --trace ${trace}`,
    `  show    npx lab trace cols ${trace}`,
    `  page    npx lab trace html ${trace}`,
    `  shrink  npx lab sim shrink ${which}`,
  ]
}

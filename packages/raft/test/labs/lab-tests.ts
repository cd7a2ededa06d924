/** Runs the labs' scenarios under vitest: each over some seeds, in one test, with one line of medians. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { TRACE_VERSION, type TraceEvent, type TraceHeader } from '@lab/rpc'
import type { LabResult, LabTest } from '@lab/raft/testing'
import { test } from 'vitest'

const root = dirname(dirname(dirname(dirname(dirname(fileURLToPath(import.meta.url))))))
const FIRST_SEED = Number(process.env['LAB_SEED'] ?? 1)
const SEEDS = process.env['LAB_LONG'] === '1' ? 100 : 10
const TRACES = process.env['LAB_TRACE'] === '1'
const TIMEOUT_MS = 600_000

/** @param seeds how many; default 10, and 100 in the long tests */
export function testLabs(scenarios: readonly LabTest[], seeds: number = SEEDS): void {
  for (const scenario of scenarios)
    test(scenario.title, { timeout: TIMEOUT_MS }, async () => {
      const results: LabResult[] = []
      for (let seed = FIRST_SEED; seed < FIRST_SEED + seeds; seed++)
        results.push(await runSeed(scenario, seed))
      console.log(passedLine(results))
      if (TRACES) console.log(`Trace  npx lab trace cols ${await trace(scenario, FIRST_SEED)}`)
    })
}

async function runSeed(scenario: LabTest, seed: number): Promise<LabResult> {
  try {
    return await scenario.run(seed)
  } catch (thrown) {
    if (!(thrown instanceof Error)) throw thrown
    const file = await trace(scenario, seed)
    thrown.message += `\n  replay: npm test -- '${scenario.title}' --seed ${String(seed)}\n  cols:   npx lab trace cols ${file}`
    throw thrown
  }
}

/** Seeds repeat a run exactly, so tracing costs nothing until somebody wants to see one. @returns the file */
async function trace(scenario: LabTest, seed: number): Promise<string> {
  const nodes = Array.from({ length: scenario.peers }, (_, server) => `n${String(server + 1)}`)
  const header: TraceHeader = { v: TRACE_VERSION, what: scenario.title, start: 0, seed, nodes }
  const lines = [JSON.stringify(header)]
  const write = (event: TraceEvent): void => {
    lines.push(JSON.stringify(event))
  }
  await scenario.run(seed, { trace: write }).catch(() => undefined)
  const file = join(
    root,
    '.lab',
    'traces',
    `${scenario.title.replaceAll(/[ ()]+/g, '-')}${String(seed)}.jsonl`,
  )
  mkdirSync(dirname(file), { recursive: true })
  writeFileSync(file, `${lines.join('\n')}\n`)
  return relative(root, file)
}

/** The labs' own kind of line, in columns: medians over the seeds. */
export function passedLine(results: readonly LabResult[]): string {
  const column = (value: (result: LabResult) => number, width: number, unit: string, digits = 0): string =>
    `${median(results.map(value)).toFixed(digits).padStart(width)} ${unit}`
  return [
    `Passed ${(results[0]?.title ?? '').padEnd(30)}`,
    column((result) => result.seconds, 5, 's', 1),
    column((result) => result.peers, 2, 'peers'),
    column((result) => result.rpcs, 6, 'rpcs'),
    column((result) => result.bytes, 9, 'B'),
    column((result) => result.commits, 5, 'commits'),
  ].join('  ')
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.floor((sorted.length - 1) / 2)] ?? 0
}

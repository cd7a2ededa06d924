/** Runs the labs' scenarios under vitest: each over some seeds, in one test, with one line of medians. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { labLine, labTrace, labTraceName, type LabResult, type LabTest } from '@lab/raft/testing'
import { test } from 'vitest'

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))))
const FIRST_SEED = Number(process.env['LAB_SEED'] ?? 1)
const HOW = process.env['LAB_LONG'] === '1' ? 'long' : process.env['LAB_QUICK'] === '1' ? 'quick' : 'usual'
/** How many. */
type Seeds = Readonly<Record<'quick' | 'usual' | 'long', number>>
const TRACES = process.env['LAB_TRACE'] === '1'
const TIMEOUT_MS = 600_000

/** Each scenario over some seeds, from `npm test -- --seed N` on. */
export function testLabs(
  scenarios: readonly LabTest[],
  seeds: Seeds = { quick: 3, usual: 10, long: 100 },
): void {
  for (const scenario of scenarios)
    test(scenario.title, { timeout: TIMEOUT_MS }, async () => {
      const results: LabResult[] = []
      for (let seed = FIRST_SEED; seed < FIRST_SEED + seeds[HOW]; seed++)
        results.push(await runSeed(scenario, seed))
      console.log(labLine(results))
      if (TRACES) console.log(`Trace  npx lab trace cols ${await trace(scenario, FIRST_SEED)}`)
    })
}

async function runSeed(scenario: LabTest, seed: number): Promise<LabResult> {
  try {
    return await scenario.run(seed)
  } catch (thrown) {
    if (!(thrown instanceof Error)) throw thrown
    const file = await trace(scenario, seed)
    thrown.message += `\n  replay: npm test -- '${scenario.title}' --seed ${String(seed)}\n  cols:   npx lab trace cols ${file} --filter=-heartbeat\n  html:   npx lab trace html ${file}`
    throw thrown
  }
}

/** @returns the file */
async function trace(scenario: LabTest, seed: number): Promise<string> {
  const file = join(root, '.lab', 'traces', labTraceName(scenario, seed))
  mkdirSync(dirname(file), { recursive: true })
  writeFileSync(file, (await labTrace(scenario, seed)).text)
  return relative(root, file)
}

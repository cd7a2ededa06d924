/**
 * `npm run seeded-bugs [-- LIST …]`: has every mistake (of these lists, in this order) judged that has not been yet, and writes the table of all. Each verdict is kept in
 * `.lab/seeded-bugs.jsonl` as soon as it is there, so that a run may be stopped and goes on where it was; delete the file to begin anew.
 */
import { execFileSync } from 'node:child_process'
import { appendFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { availableParallelism, loadavg } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { caughtBy, judge, suspects, type Judged } from './judge.ts'
import { tableOf, type Recorded } from './table.ts'

const root = join(import.meta.dirname, '..', '..')
const folder = join(root, '.lab')
const results = join(folder, 'seeded-bugs.jsonl')
const table = join(folder, 'seeded-bugs.md')
/** On a machine with more to do than this for each core a test may well fail for want of time. */
const LOAD_MAX = 8

const wanted = process.argv.slice(2)
mkdirSync(folder, { recursive: true })
const known = new Map(recorded().map((each) => [each.key, each]))
const commit = execFileSync('git', ['rev-parse', '--short', 'HEAD'], { cwd: root, encoding: 'utf8' }).trim()
const all = suspects()
  .filter(({ list }) => wanted.length === 0 || wanted.includes(list))
  .sort((a, b) => wanted.indexOf(a.list) - wanted.indexOf(b.list))
let number = 0
for (const suspect of all) {
  number++
  if (known.has(suspect.key)) continue
  await quiet()
  const begun = Date.now()
  const judged: Judged = await judge(suspect)
  const entry: Recorded = { ...judged, commit, date: new Date().toISOString().slice(0, 10) }
  known.set(entry.key, entry)
  appendFileSync(results, `${JSON.stringify(entry)}\n`)
  const seconds = ((Date.now() - begun) / 1000).toFixed(0)
  console.log(
    `${String(number)}/${String(all.length)} ${suspect.list}: ${suspect.expectation}: ` +
      `${caughtBy(judged)?.layer ?? 'NOT CAUGHT'}, ${seconds} s`,
  )
}
writeFileSync(table, tableOf(suspects().flatMap(({ key }) => known.get(key) ?? [])))
const missed = all.filter(({ key }) => {
  const judged = known.get(key)
  return judged === undefined || caughtBy(judged) === undefined
})
console.log(`${String(all.length - missed.length)} of ${String(all.length)} caught; ${table}`)
process.exitCode = missed.length === 0 ? 0 : 1

function recorded(): Recorded[] {
  if (!existsSync(results)) return []
  const lines = readFileSync(results, 'utf8').split('\n')
  return lines.filter((line) => line !== '').map((line) => JSON.parse(line) as Recorded)
}

async function quiet(): Promise<void> {
  while ((loadavg()[0] ?? 0) > LOAD_MAX * availableParallelism()) await sleep(10_000)
}

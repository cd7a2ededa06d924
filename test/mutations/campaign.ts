/**
 * `npm run seeded-bugs [-- --minutes N] [LIST …]`: has every mistake (of these lists, in this order) judged that has not been yet, and writes the table of all. Each
 * verdict is kept in `test/mutations/verdicts.jsonl` as soon as it is there, so that a run may be stopped and goes on where it was; a mistake that was changed is
 * judged anew, and so is one whose line there is deleted.
 */
import { execFileSync } from 'node:child_process'
import { appendFileSync } from 'node:fs'
import { availableParallelism, loadavg } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { caughtBy, judge, suspects } from './judge.ts'
import { recorded, results, writeTable, type Recorded } from './table.ts'

const root = join(import.meta.dirname, '..', '..')
/** On a machine with more to do than this for each core a test may well fail for want of time. */
const LOAD_MAX = 8

const { values, positionals: wanted } = parseArgs({
  allowPositionals: true,
  options: { minutes: { type: 'string', default: 'Infinity' } },
})
const end = Date.now() + Number(values.minutes) * 60_000
const known = recorded()
const commit = execFileSync('git', ['rev-parse', '--short', 'HEAD'], { cwd: root, encoding: 'utf8' }).trim()
const all = suspects()
  .filter(({ list }) => wanted.length === 0 || wanted.includes(list))
  .sort((a, b) => wanted.indexOf(a.list) - wanted.indexOf(b.list))
for (const [number, suspect] of all.entries()) {
  if (known.has(suspect.key)) continue
  if (Date.now() > end) break
  await quiet()
  const begun = Date.now()
  const judged = await judge(suspect)
  const entry: Recorded = { ...judged, commit, date: new Date().toISOString().slice(0, 10) }
  known.set(entry.key, entry)
  appendFileSync(results, `${JSON.stringify(entry)}\n`)
  const seconds = ((Date.now() - begun) / 1000).toFixed(0)
  console.log(
    `${String(number + 1)}/${String(all.length)} ${suspect.list}: ${suspect.expectation}: ` +
      `${caughtBy(judged)?.layer ?? 'NOT CAUGHT'}, ${seconds} s`,
  )
}
writeTable(known)
const asked = all.flatMap(({ key }) => known.get(key) ?? [])
const caught = asked.filter((each) => caughtBy(each) !== undefined)
console.log(`${String(all.length)} mistakes: ${String(asked.length)} judged, ${String(caught.length)} caught`)
process.exitCode = caught.length === all.length ? 0 : 1

async function quiet(): Promise<void> {
  while ((loadavg()[0] ?? 0) > LOAD_MAX * availableParallelism()) await sleep(10_000)
}

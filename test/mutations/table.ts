/** The verdicts that were given, and the table of them for people. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { caughtBy, suspects, type Judged } from './judge.ts'

export interface Recorded extends Judged {
  readonly commit: string
  /** `2026-11-22`. */
  readonly date: string
}

export const results = join(import.meta.dirname, 'verdicts.jsonl')
const page = join(import.meta.dirname, '..', '..', 'docs', 'seeded-bugs.md')

/** By key; of mistakes judged more than once the last. */
export function recorded(): Map<string, Recorded> {
  const lines = existsSync(results) ? readFileSync(results, 'utf8').split('\n') : []
  const all = lines.filter((line) => line !== '').map((line) => JSON.parse(line) as Recorded)
  return new Map(all.map((each) => [each.key, each]))
}

/** Writes the tables of the page anew, from the first heading on that is a list's. */
export function writeTable(known: ReadonlyMap<string, Recorded>): void {
  const all = suspects()
  const sections = [...new Set(all.map(({ list }) => list))].map((list) => {
    const ofList = all.filter((each) => each.list === list)
    return section(
      list,
      ofList.length,
      ofList.flatMap(({ key }) => known.get(key) ?? []),
    )
  })
  const [head = ''] = readFileSync(page, 'utf8').split(/^## \S+: \d+ of \d+ run$/m)
  writeFileSync(page, head + sections.join('\n'))
}

function section(list: string, count: number, judged: readonly Recorded[]): string {
  const title = `## ${list}: ${String(judged.length)} of ${String(count)} run\n\n`
  const head =
    '| mistake | in | caught by | first test that failed | commit |\n| --- | --- | --- | --- | --- |\n'
  return title + head + judged.map(row).join('')
}

function row(judged: Recorded): string {
  const verdict = caughtBy(judged)
  const by = verdict === undefined ? '**nothing**' : withSeed(verdict.layer, verdict.seed)
  const test = verdict?.test ?? (verdict === undefined ? '' : 'a run that never ended')
  const cells = [
    judged.expectation,
    `\`${judged.file.replace(/^packages\//, '')}\``,
    by,
    titleOf(test),
    judged.commit,
  ]
  return `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |\n`
}

function withSeed(layer: string, seed: number | null): string {
  return seed === null ? layer : `${layer}, seed ${String(seed)}`
}

/** Without the folders: `elections.test.ts > §5.2 …`. */
function titleOf(test: string): string {
  return test.replace(/^\S*\//, '')
}

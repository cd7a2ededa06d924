/** The table of mistakes and of what caught them, for people. */
import { caughtBy, type Judged } from './judge.ts'

export interface Recorded extends Judged {
  readonly commit: string
  /** `2026-11-22`. */
  readonly date: string
}

export function tableOf(judged: readonly Recorded[]): string {
  const lists = [...new Set(judged.map(({ list }) => list))]
  return lists
    .map((list) =>
      section(
        list,
        judged.filter((each) => each.list === list),
      ),
    )
    .join('\n')
}

function section(list: string, judged: readonly Recorded[]): string {
  const head = `## ${list}\n\n| mistake | in | caught by | first test that failed |\n| --- | --- | --- | --- |\n`
  return head + judged.map(row).join('')
}

function row(judged: Recorded): string {
  const verdict = caughtBy(judged)
  const by = verdict === undefined ? '**nothing**' : withSeed(verdict.layer, verdict.seed)
  const test = verdict?.test ?? (verdict === undefined ? '' : 'a run that never ended')
  const cells = [judged.expectation, `\`${judged.file.replace(/^packages\//, '')}\``, by, titleOf(test)]
  return `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |\n`
}

function withSeed(layer: string, seed: number | null): string {
  return seed === null ? layer : `${layer}, seed ${String(seed)}`
}

/** Without the folders: `elections.test.ts > §5.2 …`. */
function titleOf(test: string): string {
  return test.replace(/^\S*\//, '')
}

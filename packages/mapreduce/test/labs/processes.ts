/** The labs' setting: eight files, ten reduces, worker processes. */
import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { run, type JobResult, type RunOptions, type Transition } from '@lab/mapreduce'
import { seededRandom } from '@lab/rpc'
import { sortedLines } from '../sim/sim-job.ts'
import { texts } from '../sim/texts.ts'

const HOOKS = new URL('../../../../scripts/register-source.mjs', import.meta.url).href
const NAMES = [
  'being_ernest',
  'dorian_gray',
  'frankenstein',
  'grimm',
  'huckleberry_finn',
  'metamorphosis',
  'sherlock_holmes',
  'tom_sawyer',
]

export class LabFolder {
  readonly path = mkdtempSync(join(tmpdir(), 'lab-mr-test-'))
  readonly input: Readonly<Record<string, string>>
  readonly transitions: Transition[] = []

  constructor() {
    const lines = Object.values(texts(seededRandom(824), NAMES.length, 400))
    this.input = Object.fromEntries(
      NAMES.map((name, i) => [join(this.path, `pg-${name}.txt`), lines[i] ?? '']),
    )
    for (const [path, text] of Object.entries(this.input)) writeFileSync(path, text)
    mkdirSync(this.marks)
  }

  /** Where apps leave marks. */
  get marks(): string {
    return join(this.path, 'marks')
  }

  /** A folder of its own, made. */
  folder(name: string): string {
    const path = join(this.path, name)
    mkdirSync(path)
    return path
  }

  get output(): string {
    return join(this.path, 'out')
  }

  app(name: string): URL {
    return new URL(`apps/${name}.ts`, import.meta.url)
  }

  options(more: Partial<RunOptions> & { readonly waitMs?: number } = {}): RunOptions {
    const { waitMs = 0, ...rest } = more
    return {
      mode: 'cluster',
      input: join(this.path, 'pg-*.txt'),
      output: this.output,
      reducers: 10,
      parameters: { folder: this.marks, waitMs: String(waitMs) },
      // A flag of V8's, too, as a program has that starts with more memory: no thread may be given it, and every process may.
      execArgv: ['--import', HOOKS, '--max-old-space-size=1024'],
      onTransition: (transition) => this.transitions.push(transition),
      ...rest,
    }
  }

  run(app: string, more?: Parameters<LabFolder['options']>[0]): Promise<JobResult> {
    return run(this.app(app), this.options(more))
  }

  /** All lines of all parts, sorted, as the labs' script compares them. */
  results(): string {
    const parts = readdirSync(this.output).filter((name) => name.startsWith('part-'))
    return sortedLines(parts.map((name) => readFileSync(join(this.output, name), 'utf8')).join(''))
  }

  remove(): void {
    rmSync(this.path, { recursive: true, force: true })
  }

  /** The labs' kind of line. */
  passed(title: string, { elapsedMs }: { readonly elapsedMs: number }, workers: number): void {
    const attempts = this.transitions.filter(({ why }) => why === 'assigned' || why === 'backup task').length
    console.log(
      `Passed ${title.padEnd(30)} ${(elapsedMs / 1000).toFixed(1)} s  ${String(workers)} workers  8 maps  10 reduces  ${String(attempts)} attempts`,
    )
  }
}

/** The package and the jobs as they are installed: a few files of JavaScript. From sources the start would be most of the time. */
import { execFileSync } from 'node:child_process'
import { copyFileSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

const ROOT = join(import.meta.dirname, '..', '..')
const PACKAGE = join(ROOT, 'packages', 'mapreduce')
const ENTRIES = ['index.ts', 'node/task-thread.ts', 'node/worker-main.ts']
const PROGRAM = /-(?:job|process)\.ts$/

/** Builds them below `folder`, which then holds `NAME-job.js` and `NAME-process.js`. */
export function build(folder: string): void {
  const installed = join(folder, 'node_modules', '@lab', 'mapreduce')
  mkdirSync(installed, { recursive: true })
  writeFileSync(join(folder, 'package.json'), '{ "type": "module" }')
  copyFileSync(join(PACKAGE, 'package.json'), join(installed, 'package.json'))
  const source = join(PACKAGE, 'src')
  bundle(
    ENTRIES.map((entry) => join(source, entry)),
    ['--splitting', '--conditions=@lab/source', `--outbase=${source}`, `--outdir=${join(installed, 'dist')}`],
  )
  const programs = readdirSync(import.meta.dirname).filter((name) => PROGRAM.test(name))
  bundle(
    programs.map((name) => join(import.meta.dirname, name)),
    ['--external:@lab/mapreduce', `--outdir=${folder}`],
  )
}

function bundle(entries: readonly string[], options: readonly string[]): void {
  const esbuild = join(ROOT, 'node_modules', 'esbuild', 'bin', 'esbuild')
  const common = ['--bundle', '--platform=node', '--format=esm', '--target=node20.19', '--log-level=error']
  execFileSync(process.execPath, [esbuild, ...entries, ...common, ...options], { stdio: 'inherit' })
}

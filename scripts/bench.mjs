// `npm run bench`: the benchmarks, each figure beside its baseline of the same run. Options go on to bench/run.ts.
import { join } from 'node:path'
import { root } from './lib/root.mjs'
import { runSource } from './lib/run-source.mjs'

runSource(
  join(root, 'bench', 'run.ts'),
  process.argv.slice(2).filter((argument) => argument !== '--'),
)

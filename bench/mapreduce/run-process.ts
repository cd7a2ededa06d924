/** One job from the command line: `run-process.ts JOB INPUT OUTPUT MODE SPLIT_BYTES`. */
import { rmSync } from 'node:fs'
import { run } from '@lab/mapreduce'

const [job = '', input = '', output = '', mode = 'cluster', splitBytes = '0'] = process.argv.slice(2)
rmSync(output, { recursive: true, force: true })
await run(job, {
  input,
  output,
  mode: mode === 'threads' ? 'threads' : 'cluster',
  workers: 2,
  reducers: 4,
  splitBytes: Number(splitBytes),
  // The programs beside it sync nothing either.
  durable: false,
})

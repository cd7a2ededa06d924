/** mrapps/jobcount: how often a map was run. */
import { readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { defineJob, wholeFile } from '@lab/mapreduce'

let count = 0

export default defineJob<string, string, string>({
  input: wholeFile,
  async map(_text, emit, { parameters }) {
    const { folder = '', waitMs = '' } = parameters
    writeFileSync(join(folder, `mr-worker-jobcount-${String(process.pid)}-${String(count++)}`), 'x')
    await wait(Number(waitMs) * (1 + Math.random() * 1.5))
    emit('a', 'x')
  },
  reduce(key, _values, emit, { parameters }) {
    const files = readdirSync(parameters['folder'] ?? '')
    emit(key, files.filter((name) => name.startsWith('mr-worker-jobcount')).length)
  },
})

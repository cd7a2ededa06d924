/** Counts words. The first attempt of each reduce waits until a second one is there: then both end at the same moment. */
import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { defineJob } from '@lab/mapreduce'
import wc from '../../labs/apps/wc.ts'

export default defineJob<string, string, string>({
  map: wc.map.bind(wc),
  async setup({ kind, task, attempt, parameters }) {
    if (kind === 'map') return
    const mark = (number: number): string =>
      join(parameters['folder'] ?? '', `${String(task)}.${String(number)}`)
    writeFileSync(mark(attempt), '')
    // Only one of them: the others are done, for a median.
    for (let i = 0; task === 0 && i < 2_000 && !existsSync(mark(attempt === 1 ? 2 : 1)); i++) await wait(5)
  },
  reduce(word, ones, emit, context) {
    context.counter('keys').add()
    return wc.reduce(word, ones, emit, context)
  },
})

/** Counts lines, taking its time for each. */
import { setTimeout as wait } from 'node:timers/promises'
import { defineJob } from '@lab/mapreduce'

export default defineJob({
  async map(line: string, emit, { parameters }) {
    await wait(Number(parameters['waitMs']))
    emit(line, 1)
  },
  reduce(line, ones, emit) {
    emit(line, [...ones].length)
  },
})

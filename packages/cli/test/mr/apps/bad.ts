/** Counts lines, but for one that it cannot bear. */
import { defineJob } from '@lab/mapreduce'

export default defineJob({
  map(line: string, emit, { parameters }) {
    if (line === parameters['bad']) throw new TypeError('cannot bear it')
    emit(line, 1)
  },
  reduce(line, ones, emit) {
    emit(line, [...ones].length)
  },
})

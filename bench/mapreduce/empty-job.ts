import { defineJob } from '@lab/mapreduce'

/** Does next to nothing: what is left is the start of a run. */
export default defineJob({
  map(line: string, emit) {
    emit(line.slice(0, 1), 1)
  },
  reduce(key, values, emit) {
    emit(key, 1)
  },
})

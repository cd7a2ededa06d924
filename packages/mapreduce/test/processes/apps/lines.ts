/** Every line as it is, with how often it came: nothing is combined. */
import { defineJob } from '@lab/mapreduce'

export default defineJob({
  map(line: string, emit) {
    emit(line, 1)
  },
  reduce(line, ones, emit) {
    emit(line, [...ones].length)
  },
})

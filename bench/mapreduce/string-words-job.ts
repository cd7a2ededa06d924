import { defineJob, sum, sumValues } from '@lab/mapreduce'

export default defineJob({
  map(line: string, emit) {
    for (const word of line.match(/[A-Za-z]+/g) ?? []) emit(word, 1)
  },
  combine: sum,
  reduce: sumValues,
})

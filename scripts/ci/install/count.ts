import { defineJob } from '@lab/mapreduce'

export default defineJob<string, string, number>({
  map(line, emit) {
    for (const word of line.match(/\p{L}+/gu) ?? []) emit(word, 1)
  },
  reduce(word, ones, emit) {
    let count = 0
    for (const one of ones) count += one
    emit(word, count)
  },
})

/** Counts words: the job of the paper's introduction. */
import { defineJob } from '@lab/mapreduce'

const sum = (left: number, right: number): number => left + right

export default defineJob({
  map(line: string, emit) {
    for (const word of line.match(/[A-Za-z]+/g) ?? []) emit(word, 1)
  },
  combine: sum,
  reduce(word, counts, emit) {
    emit(word, [...counts].reduce(sum))
  },
})

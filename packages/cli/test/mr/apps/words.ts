/** Counts words, and lines beside. */
import { defineJob } from '@lab/mapreduce'

const sum = (left: number, right: number): number => left + right

export default defineJob({
  map(line: string, emit, context) {
    context.counter('lines').add()
    for (const word of line.match(/[A-Za-z]+/g) ?? []) emit(word, 1)
  },
  combine: sum,
  reduce(word, counts, emit) {
    emit(word, [...counts].reduce(sum))
  },
})

import { byteLines, bytesKey, defineJob, sum, sumValues } from '@lab/mapreduce'
import { wordsIn } from './words-in.ts'

/** Words without a string on their way. */
export default defineJob<Uint8Array, Uint8Array, number, Uint8Array, number>({
  input: byteLines,
  key: bytesKey,
  map(line, emit) {
    wordsIn(line, (start, end) => {
      emit(line, 1, start, end)
    })
  },
  combine: sum,
  reduce: sumValues,
})

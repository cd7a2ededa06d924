/** mrapps/wc: words are runs of letters; the result is how often each occurs. */
import { defineJob } from '@lab/mapreduce'

export default defineJob<string, string, string>({
  map(line, emit) {
    for (const word of line.match(/\p{L}+/gu) ?? []) emit(word, '1')
  },
  reduce(word, ones, emit) {
    emit(word, [...ones].length)
  },
})

import { byteLines, bytesKey, defineJob } from '@lab/mapreduce'
import { wordsIn } from './words-in.ts'

/** For each word its files, as a set of bits: the input is `text-0-…` to `text-15-…`. */
export default defineJob<Uint8Array, Uint8Array, number, Uint8Array, string>({
  input: byteLines,
  key: bytesKey,
  map(line, emit, { inputFile }) {
    const file = 1 << Number(/text-(\d+)-/.exec(inputFile)?.[1])
    wordsIn(line, (start, end) => {
      emit(line, file, start, end)
    })
  },
  combine: (left, right) => left | right,
  reduce(word, sets, emit) {
    let set = 0
    for (const one of sets) set |= one
    const files: string[] = []
    for (let file = 0; file < 16; file++) if ((set & (1 << file)) !== 0) files.push(`text-${file}`)
    emit(word, files.join(' '))
  },
})

/** An inverted index: for each word, the files that hold it. */
import { basename } from 'node:path'
import { defineJob, wholeFile } from '@lab/mapreduce'

export default defineJob<string, string, string, string, string>({
  input: wholeFile,
  map(text, emit, { inputFile }) {
    for (const word of new Set(text.toLowerCase().match(/[a-z]+/g) ?? []))
      emit(word, basename(inputFile, '.txt'))
  },
  reduce(word, files, emit) {
    emit(word, [...files].sort().join(' '))
  },
})

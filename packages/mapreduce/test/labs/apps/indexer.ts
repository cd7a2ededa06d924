/** mrapps/indexer: how many files hold a word, and which. */
import { basename } from 'node:path'
import { defineJob, wholeFile } from '@lab/mapreduce'

export default defineJob<string, string, string>({
  input: wholeFile,
  map(text, emit, { inputFile }) {
    for (const word of new Set(text.match(/\p{L}+/gu) ?? [])) emit(word, basename(inputFile))
  },
  reduce(word, files, emit) {
    const sorted = [...files].sort()
    emit(word, `${String(sorted.length)} ${sorted.join(',')}`)
  },
})

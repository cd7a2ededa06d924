/** The index: for each word the chapters that hold it, each with how often: `whale → 1:2 42:17`. */
import { basename } from 'node:path'
import { defineJob, wholeFile } from '@lab/mapreduce'

export default defineJob<string, string, string, string, string>({
  input: wholeFile,
  map(text, emit, { inputFile }) {
    const counts = new Map<string, number>()
    for (const word of text.toLowerCase().match(/[a-z]+/g) ?? [])
      counts.set(word, (counts.get(word) ?? 0) + 1)
    const chapter = basename(inputFile, '.txt').replace('chapter_', '')
    for (const [word, count] of counts) emit(word, `${chapter}:${count}`)
  },
  reduce(word, hits, emit) {
    emit(word, [...hits].sort().join(' '))
  },
})

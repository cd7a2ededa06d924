/** The index of the texts: for each word the texts that hold it, each with how often, the most often first: `whale → chapter-032:61 …`. */
import { defineJob, wholeFile } from '@lab/mapreduce'

/** Longer ones are no words. */
const LETTERS_MAX = 32

export default defineJob<string, string, string, string, string>({
  input: wholeFile,
  map(text, emit, { inputFile, parameters }) {
    const names = JSON.parse(parameters['names'] ?? '{}') as Readonly<Record<string, string>>
    const counts = new Map<string, number>()
    for (const word of text.toLowerCase().match(/\p{L}+/gu) ?? [])
      if (word.length <= LETTERS_MAX) counts.set(word, (counts.get(word) ?? 0) + 1)
    for (const [word, count] of counts) emit(word, `${names[inputFile] ?? inputFile}:${count}`)
  },
  reduce(word, hits, emit) {
    const count = (hit: string): number => Number(hit.slice(hit.lastIndexOf(':') + 1))
    const ordered = [...hits].sort((a, b) => count(b) - count(a) || (a < b ? -1 : 1))
    emit(word, ordered.join(' '))
  },
})

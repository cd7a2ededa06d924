import { defineJob } from '@lab/mapreduce'

/** The labs' word count: letters, case kept. */
export const wordCount = defineJob({
  map(line: string, emit, context) {
    for (const word of line.match(/\p{L}+/gu) ?? []) emit(word, 1)
    context.counter('lines').add()
  },
  reduce(word, counts, emit, context) {
    let sum = 0
    for (const count of counts) sum += count
    emit(word, sum)
    context.counter('words').add()
  },
})

/** The same with a combiner. */
export const combined = defineJob({ ...wordCount, combine: (left: number, right: number) => left + right })

/** Depends on the order of a key's values, which is that of the maps. */
export const listing = defineJob<string, string, string, string, string>({
  map(line, emit, context) {
    for (const word of line.match(/\p{L}+/gu) ?? []) emit(word, context.inputFile)
    context.counter('lines').add()
  },
  reduce(word, files, emit, context) {
    emit(word, [...files].join(','))
    context.counter('words').add()
  },
})

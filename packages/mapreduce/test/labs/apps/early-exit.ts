/** mrapps/early_exit: some reduces take long. */
import { setTimeout as wait } from 'node:timers/promises'
import { defineJob, wholeFile } from '@lab/mapreduce'

export default defineJob<string, string, string>({
  input: wholeFile,
  map(_text, emit, { inputFile }) {
    emit(inputFile, '1')
  },
  async reduce(file, values, emit, { parameters }) {
    if (file.includes('sherlock') || file.includes('tom')) await wait(Number(parameters['waitMs']))
    emit(file, [...values].length)
  },
})

/** Does what its records say. */
import { defineJob } from '@lab/mapreduce'

export default defineJob({
  map(line: string, emit) {
    if (line.startsWith('throw')) throw new Error(`cannot bear ${line}`)
    if (line.startsWith('exit')) process.exit(7)
    while (line.startsWith('hang'));
    emit(line, 1)
  },
  reduce: (key, values, emit) => emit(key, [...values].length),
})

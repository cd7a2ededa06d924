import { defineJob } from '@lab/mapreduce'

/** Does nothing at all: what is left is what tasks cost. */
export default defineJob({
  map() {
    // Emits nothing.
  },
  reduce() {
    // Is never called.
  },
})

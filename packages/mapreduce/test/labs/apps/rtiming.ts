/** mrapps/rtiming: who runs reduces at the same time. */
import { defineJob, wholeFile } from '@lab/mapreduce'
import { countPeers } from './peers.ts'

export default defineJob<string, string, string>({
  input: wholeFile,
  map(_text, emit) {
    for (const key of 'abcdefghij') emit(key, '1')
  },
  async reduce(key, _values, emit, { parameters }) {
    const { folder = '', waitMs = '' } = parameters
    emit(key, await countPeers(folder, 'reduce', Number(waitMs)))
  },
})

/** mrapps/mtiming: who runs maps at the same time. */
import { defineJob, wholeFile } from '@lab/mapreduce'
import { countPeers } from './peers.ts'

export default defineJob<string, string, string>({
  input: wholeFile,
  async map(_text, emit, { parameters }) {
    const { folder = '', waitMs = '' } = parameters
    emit(`times-${String(process.pid)}`, 'start')
    emit(`parallel-${String(process.pid)}`, String(await countPeers(folder, 'map', Number(waitMs))))
  },
  reduce(key, values, emit) {
    emit(key, [...values].sort().join(' '))
  },
})

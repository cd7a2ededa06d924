/** mrapps/crash: one call in three kills its process, one in three is slow. */
import { setTimeout as wait } from 'node:timers/promises'
import { defineJob, wholeFile } from '@lab/mapreduce'

async function maybeCrash(waitMs: number): Promise<void> {
  const chance = Math.random()
  if (chance < 1 / 3) process.kill(process.pid, 'SIGKILL')
  if (chance < 2 / 3) await wait(Math.random() * waitMs)
}

export default defineJob<string, string, string>({
  input: wholeFile,
  async map(text, emit, { inputFile, parameters }) {
    await maybeCrash(Number(parameters['waitMs'] ?? 0))
    emit('a', inputFile)
    emit('b', String(inputFile.length))
    emit('c', String(text.length))
    emit('d', 'xyzzy')
  },
  async reduce(key, values, emit, { parameters }) {
    await maybeCrash(Number(parameters['waitMs'] ?? 0))
    emit(key, [...values].sort().join(' '))
  },
})

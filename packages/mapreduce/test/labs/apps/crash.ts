/**
 * mrapps/crash: calls that kill their process, and calls that are slow. One in three kills in the labs, whose map outputs
 * survive on a shared disk. Here they go with their worker, as in the paper (§3.3): so many deaths would undo more than gets
 * done.
 */
import { setTimeout as wait } from 'node:timers/promises'
import { defineJob, wholeFile } from '@lab/mapreduce'

async function maybeCrash(waitMs: number): Promise<void> {
  const chance = Math.random()
  if (chance < 0.12) process.kill(process.pid, 'SIGKILL')
  if (chance < 0.66) await wait(Math.random() * waitMs)
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

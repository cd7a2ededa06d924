/** `lab mr status` and `lab mr cat`: a job that runs, and the output of one that is done. */
import { resolve } from 'node:path'
import { jobStatus, resultsIn } from '@lab/mapreduce'
import type { Io } from '../io.ts'
import { formatRow, type Format } from '../output.ts'
import { duration, progressText } from './progress.ts'
import { endpointFrom } from './worker.ts'

const OUT_CHARS = 1 << 16

export async function showStatus(
  where: string,
  { output }: { readonly output: Format },
  io: Io,
): Promise<void> {
  const status = await jobStatus(await endpointFrom(where, io))
  const { map, reduce, slowest, workers, failures } = status
  const lines = [
    `${status.job}: ${status.state}, ${progressText(status)}, since ${duration(status.elapsedMs / 1000)}`,
    `map     ${map.grid}`,
    `reduce  ${reduce.grid}`,
    ...workers.map(
      ({ id, host, pid, running, slots }) =>
        `${id}  ${host} pid ${String(pid)}  ${String(running)} of ${String(slots)} slots at work`,
    ),
    ...slowest.map(
      ({ kind, task, attempt, worker, runningMs, fraction, status: said }) =>
        `${kind} ${String(task)} attempt ${String(attempt)} on ${worker}: ${duration(runningMs / 1000)}, ${String(Math.floor(fraction * 100))} %${said === '' ? '' : `, ${said}`}`,
    ),
    ...failures.map(({ task, text }) => `failed: ${task}: ${text}`),
  ]
  await io.out(formatRow({ ...status }, output, lines.join('\n')))
}

/** Data, as they are: nothing is put around them, whatever the format. */
export async function cat(folder: string, { output }: { readonly output: Format }, io: Io): Promise<void> {
  const results = await resultsIn(resolve(io.cwd, folder))
  const isJson = output === 'json' || output === 'jsonl'
  let text = ''
  for await (const [key, value] of results) {
    text += isJson ? `${JSON.stringify({ key, value })}\n` : `${key}\t${value}\n`
    if (text.length < OUT_CHARS) continue
    await io.out(text)
    text = ''
  }
  await io.out(text)
}

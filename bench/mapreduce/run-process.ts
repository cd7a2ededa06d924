/**
 * One job from the command line: `run-process.ts JOB INPUT OUTPUT SPLIT_BYTES WORKERS REDUCERS TROUBLE`. The trouble comes to
 * one worker when a third of the maps are done: `kill`, or `slow`, which lets it run a twentieth of the time. `streams` is none: map
 * outputs go over TCP.
 */
import { readFileSync, readdirSync, rmSync } from 'node:fs'
import { run, type Transition } from '@lab/mapreduce'

const [job = '', input = '', output = '', splitBytes = '0', workers = '2', reducers = '4', trouble = ''] =
  process.argv.slice(2)
const RUN_MS = 50
const PERIOD_MS = 1000

let isOver = false
let assigned = 0
let completed = 0

function onTransition({ kind, to }: Transition): void {
  if (kind !== 'map') return
  if (to === 'in-progress') assigned++
  if (to === 'completed' && ++completed === Math.ceil(assigned / 3) + 1) makeTrouble()
}

function makeTrouble(): void {
  const [worker] = children()
  if (worker === undefined) return
  if (trouble === 'kill') process.kill(worker, 'SIGKILL')
  if (trouble === 'slow') void slowDown(worker)
}

async function slowDown(worker: number): Promise<void> {
  try {
    while (!isOver) {
      process.kill(worker, 'SIGSTOP')
      await rest(PERIOD_MS - RUN_MS)
      process.kill(worker, 'SIGCONT')
      await rest(RUN_MS)
    }
  } catch {
    // It has gone.
  }
}

/** Keeps nobody: it is the job that is measured, not the rest of a period. */
function rest(ms: number): Promise<void> {
  return new Promise((resolve) => void setTimeout(resolve, ms).unref())
}

/** The processes that we have started. */
function children(): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .filter((name) => {
      try {
        const [, parent] = readFileSync(`/proc/${name}/stat`, 'latin1').split(') ').pop()?.split(' ') ?? []
        return Number(parent) === process.pid
      } catch {
        return false
      }
    })
    .map(Number)
}

rmSync(output, { recursive: true, force: true })
try {
  await run(job, {
    input,
    output,
    mode: 'cluster',
    workers: Number(workers),
    reducers: Number(reducers),
    streams: trouble === 'streams',
    splitBytes: Number(splitBytes),
    // The programs beside it sync nothing either.
    durable: false,
    ...(trouble === 'kill' || trouble === 'slow' ? { onTransition } : {}),
  })
} finally {
  isOver = true
}

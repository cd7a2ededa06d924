/**
 * `lab mr slurm`: one step of a Slurm cluster, whose task 0 coordinates and whose other tasks work. What the tasks need to find each
 * other lies in the output folder, which all nodes share, as they do the job's file and us.
 */
import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { existsSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { LAB_BIN } from '../own-files.ts'
import { CliError } from '../errors.ts'
import type { Io } from '../io.ts'
import { usage } from '../parse.ts'
import { prepare, type CoordinatorFlags } from './run.ts'

export interface SlurmFlags extends CoordinatorFlags {
  readonly nodes: number
  readonly tasks?: number
  readonly slots?: number
  readonly heap?: number
}

/** What a task is told, by {@link TASK_VARIABLE}: Slurm carries the environment. */
export interface SlurmTask {
  readonly file: string
  readonly flags: SlurmFlags
  /** Of each task; `%h` is its machine. */
  readonly listen: string
  readonly secret: string
}

export const TASK_VARIABLE = 'LAB_MR_SLURM_TASK'

/** @param options for srun, as they are */
export async function submit(
  module: string,
  options: readonly string[],
  flags: SlurmFlags,
  io: Io,
): Promise<void> {
  const { nodes, tasks = nodes, slots = 1, insecure } = flags
  if (tasks < 2) throw usage('one task coordinates and the others work: -N 2, or -n 2, is the least')
  if (flags.listen === undefined && nodes > 1 && insecure !== true)
    throw usage('tasks on several nodes talk without encryption: allow it with --insecure')
  const task: SlurmTask = {
    file: prepare(module, flags, io),
    flags: { ...flags, reducers: flags.reducers ?? 2 * slots * (tasks - 1) },
    listen: flags.listen ?? (nodes > 1 ? 'tcp://%h:0' : 'localhost:0'),
    secret: randomBytes(16).toString('hex'),
  }
  const args = [
    ...[`--nodes=${String(nodes)}`, `--ntasks=${String(tasks)}`, `--cpus-per-task=${String(slots)}`],
    // A worker that dies is no end: the others go on. Ctrl-C is one, at once.
    ...['--kill-on-bad-exit=0', '--wait=0', '--quit-on-interrupt', '--job-name=lab-mr', ...options],
    ...[process.execPath, LAB_BIN, 'mr', 'slurm-task'],
  ]
  const code = await srun(args, { ...io.env, [TASK_VARIABLE]: JSON.stringify(task) }, io)
  // srun tells of the worst task; the job is done when its output is whole.
  if (existsSync(join(resolve(io.cwd, flags.out), '_SUCCESS.json'))) return
  io.signal.throwIfAborted()
  throw new CliError(
    'FAILED',
    `the job is not done: srun ended with ${String(code)}; the same command goes on with it`,
  )
}

function srun(
  args: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
  { cwd, signal }: Io,
): Promise<number | string> {
  return new Promise((done, fail) => {
    const child = spawn('srun', args, { cwd, env, stdio: ['ignore', 'inherit', 'inherit'] })
    const stop = (): void => {
      child.kill('SIGINT')
    }
    signal.addEventListener('abort', stop, { once: true })
    child.on('error', (cause: NodeJS.ErrnoException) => {
      const message =
        cause.code === 'ENOENT'
          ? 'srun is not here: lab mr slurm starts on a machine of a Slurm cluster'
          : cause.message
      fail(new CliError('UNAVAILABLE', message, { cause }))
    })
    child.on('exit', (code, killed) => {
      signal.removeEventListener('abort', stop)
      done(code ?? killed ?? 'nothing')
    })
  })
}

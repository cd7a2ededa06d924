/** `run`: a job on this machine, from its options to its results. The three modes differ in where attempts are made, and in nothing else. */
import { rmSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import type { JobReport } from '../coordinator/coordinator.ts'
import type { JobStatus } from '../coordinator/status.ts'
import { JobError } from '../errors.ts'
import { checkJob, type Job } from '../job.ts'
import type { Manifest } from '../manifest.ts'
import type { AnyJob } from './load-job.ts'
import { moduleUrl } from './module-url.ts'
import type { JobOptions } from './open-coordinator.ts'
import { Results } from './results.ts'
import type { ThreadExecutor } from './thread-executor.ts'

export interface RunOptions extends JobOptions {
  /**
   * `local`: in this thread, one task after another. `threads`: in threads of this process. `cluster`: in worker processes, of
   * which each may die. Default `threads`.
   */
  readonly mode?: 'local' | 'threads' | 'cluster'
  /** What worker processes talk by, in a cluster. Default `tcp`. */
  readonly transport?: 'tcp' | 'websocket'
  /** Worker processes send map outputs to each other also where one could open the other's file. Default false. */
  readonly streams?: boolean
  /** Threads, or worker processes. Default: as many as the machine has cores. */
  readonly workers?: number
  /** Node's flags for threads and worker processes. Default: those of this process. */
  readonly execArgv?: readonly string[]
  /** What the heap of a task's thread may grow to, in MB. Default 1 024. */
  readonly heapMb?: number
  /** Where map outputs lie until the job is over. Default: the system's folder for temporary files. */
  readonly spillFolder?: string
  /** Told a few times a second how far it is. */
  readonly onProgress?: (status: JobStatus) => void
  /** Stops the job: what is done stays, for a run that goes on. */
  readonly signal?: AbortSignal
}

/** What a run has made. Iterating gives all (key, value) of the output as text, in the order of keys. */
export interface JobResult extends AsyncIterable<readonly [key: string, value: string]> {
  readonly manifest: Manifest
  readonly output: string
  readonly elapsedMs: number
}

/**
 * Runs a job, and resolves when its output is whole.
 *
 * @param job the job, or its module: a file name or URL. Threads and processes need the module, which `module: import.meta.url`
 *   in the job names too.
 * @throws {JobError}
 */
export async function runJob<Rec, K, V, OutK, OutV>(
  job: Job<Rec, K, V, OutK, OutV> | string | URL,
  options: RunOptions,
): Promise<JobResult> {
  const { mode = 'threads', signal } = options
  signal?.throwIfAborted()
  const named = typeof job === 'string' || job instanceof URL ? moduleUrl(job) : job.module
  const given = typeof job === 'string' || job instanceof URL ? null : (job as unknown)
  if (given !== null) checkJob(given)
  if (named === undefined && mode !== 'local')
    throw new JobError(
      'BAD_JOB',
      `for mode '${mode}' the job must be a module: give its file name, or module: import.meta.url in the job`,
    )
  const report =
    mode === 'cluster'
      ? await (await import('./run-in-processes.ts')).runInProcesses(named ?? '', options)
      : await inThisProcess(named ?? null, given, options)
  rmSync(join(options.output, '_attempt'), { recursive: true, force: true })
  return new Results(options.output, report.manifest, report.elapsedMs)
}

async function inThisProcess(
  module: string | null,
  given: AnyJob | null,
  options: RunOptions,
): Promise<JobReport> {
  let threads: ThreadExecutor | null = null
  if (options.mode !== 'local') {
    // Threads begin to load the job now: it takes them as long as it takes us to load what plans it, and to plan.
    const { ThreadExecutor } = await import('./thread-executor.ts')
    const count = options.workers ?? availableParallelism()
    threads = new ThreadExecutor({ ...options, threads: count }).warm(module ?? '')
  }
  try {
    const { runHere } = await import('./run-here.ts')
    return await runHere(module, given, threads, options)
  } finally {
    await threads?.close()
  }
}

/** `run`: a job on this machine, from its options to its results. The three modes differ in where attempts are made, and in nothing else. */
import { rmSync } from 'node:fs'
import { availableParallelism, tmpdir } from 'node:os'
import { join } from 'node:path'
import { serve } from '@lab/rpc'
import { memory, MemoryNetwork } from '@lab/rpc/memory'
import type { Coordinator, JobReport } from '../coordinator/coordinator.ts'
import { coordinatorService } from '../coordinator/service.ts'
import { statusOf, type JobStatus } from '../coordinator/status.ts'
import { JobError } from '../errors.ts'
import { checkJob, type Job } from '../job.ts'
import type { Manifest } from '../manifest.ts'
import { systemFiles } from '../data/system-files.ts'
import type { Executor } from '../worker/executor.ts'
import { Worker } from '../worker/worker.ts'
import { openCoordinator, openHost, type HostedJob, type JobOptions } from './host.ts'
import { InlineExecutor } from './inline-executor.ts'
import type { AnyJob } from './load-job.ts'
import { loadJob } from './load-job.ts'
import { Results } from './results.ts'
import { TemporaryFolder } from './temporary-folder.ts'
import { ThreadExecutor } from './thread-executor.ts'
import { WorkerFleet } from './worker-fleet.ts'
import { moduleUrl } from './module-url.ts'

export interface RunOptions extends JobOptions {
  /**
   * `local`: in this thread, one task after another. `threads`: in threads of this process. `cluster`: in worker processes, of
   * which each may die. Default `threads`.
   */
  readonly mode?: 'local' | 'threads' | 'cluster'
  /** What worker processes talk by, in a cluster. Default `tcp`. */
  readonly transport?: 'tcp' | 'websocket'
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

const PROGRESS_MS = 200

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
      ? await runInProcesses(named ?? '', options)
      : await runHere(named ?? null, given, options)
  rmSync(join(options.output, '_attempt'), { recursive: true, force: true })
  return new Results(options.output, report.manifest, report.elapsedMs)
}

async function runHere(module: string | null, given: AnyJob | null, options: RunOptions): Promise<JobReport> {
  const isLocal = options.mode === 'local'
  const job = given ?? (await loadJob(module ?? ''))
  // Two of each at least, for what depends on there being one task to show.
  const slots = isLocal ? 1 : (options.workers ?? availableParallelism())
  const coordinator = await openCoordinator(module, job, { reducers: 2 * slots, ...options })
  const executor = isLocal ? new InlineExecutor(job) : new ThreadExecutor(options)
  const own = new TemporaryFolder(options.spillFolder ?? tmpdir(), 'lab-mr-')
  try {
    return await workHere(coordinator, { executor, slots, folder: own.path }, options)
  } finally {
    await coordinator.close()
    own.remove()
  }
}

/** A coordinator and a worker in this process, on a network in memory. */
async function workHere(
  coordinator: Coordinator,
  { executor, slots, folder }: { executor: Executor; slots: number; folder: string },
  options: RunOptions,
): Promise<JobReport> {
  const network = new MemoryNetwork()
  const transport = memory(network, { name: 'coordinator' })
  const server = await serve({ transport, listen: 'memory://coordinator' }, [coordinatorService(coordinator)])
  const worker = new Worker({
    coordinator: server.address,
    link: { transport: memory(network, { name: 'worker' }) },
    address: '',
    host: 'here',
    pid: process.pid,
    files: systemFiles,
    ...{ executor, slots, folder },
  })
  const working = worker.run()
  working.catch(() => undefined)
  try {
    const report = await watched(
      { done: coordinator.done, status: () => statusOf(coordinator), close: () => coordinator.close() },
      options,
      working,
    )
    await working
    return report
  } finally {
    await worker.stop()
    await server.close({ drainMs: 0 })
  }
}

async function runInProcesses(module: string, options: RunOptions): Promise<JobReport> {
  const workers = options.workers ?? availableParallelism()
  const listen = `${options.transport === 'websocket' ? 'ws' : 'tcp'}://localhost:0`
  const host = await openHost(module, { reducers: 2 * workers, listen, ...options })
  const own = new TemporaryFolder(options.spillFolder ?? tmpdir(), 'lab-mr-')
  const fleet = new WorkerFleet(
    workers,
    { join: host.address, secret: host.secret, folder: own.path },
    options,
  )
  try {
    const report = await watched(host, options, fleet.failed)
    await fleet.gone()
    return report
  } finally {
    await fleet.stop()
    await host.close()
    own.remove()
  }
}

/** Waits for the end, telling how far it is. @param failed rejects when there is nobody left to do the work */
async function watched(
  job: Pick<HostedJob, 'done' | 'status' | 'close'>,
  { onProgress, signal }: RunOptions,
  failed: Promise<unknown>,
): Promise<JobReport> {
  const timer = setInterval(() => onProgress?.(job.status()), PROGRESS_MS)
  const stop = (): void => void job.close()
  signal?.addEventListener('abort', stop, { once: true })
  try {
    return await Promise.race([job.done, failed.then(() => job.done)])
  } finally {
    signal?.removeEventListener('abort', stop)
    clearInterval(timer)
    onProgress?.(job.status())
  }
}

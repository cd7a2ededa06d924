/**
 * The doors that start something. What is behind them is loaded when one is opened: a module of a job imports this package in
 * every thread, and needs none of it.
 */
import type { JobStatus } from '../coordinator/status.ts'
import type { Job } from '../job.ts'
import type { StreamRole } from '../stream/stream.ts'
import type { Endpoint } from './endpoint.ts'
import type { HostedJob, HostOptions } from './host.ts'
import type { Stage } from './pipeline.ts'
import type { JobResult, RunOptions } from './run.ts'
import type { StreamJobOptions } from './stream.ts'
import type { WorkerProcessOptions } from './worker-process.ts'

/**
 * Runs a job on this machine, and resolves when its output is whole.
 *
 * @param job the job, or its module: a file name or URL. Threads and processes need the module, which `module: import.meta.url`
 *   in the job names too.
 * @throws {JobError} `BAD_JOB`, `BAD_INPUT`, `BAD_OUTPUT`, `TASK_FAILED`, `CANCELLED`
 * @example
 * const result = await run('./job.ts', { input: 'books/*.txt', output: 'out', workers: 4 })
 * for await (const [word, count] of result) console.log(word, count)
 */
export async function run<Rec, K, V, OutK, OutV>(
  job: Job<Rec, K, V, OutK, OutV> | string | URL,
  options: RunOptions,
): Promise<JobResult> {
  const { runJob } = await import('./run.ts')
  return runJob(job, options)
}

/**
 * Runs jobs one after another: the parts that one has made are the input of the next.
 *
 * @param options of all; `input` is the first one's, `output` the last one's: those between leave `OUTPUT.1`, `OUTPUT.2` and so on
 * @throws {JobError} of the stage that failed
 */
export async function pipeline(stages: readonly Stage[], options: RunOptions): Promise<JobResult> {
  const { runPipeline } = await import('./pipeline.ts')
  return runPipeline(stages, options)
}

/**
 * Coordinates a job for workers on this and other machines.
 *
 * @throws {JobError} as {@link run} @throws {RpcError} `ADDRESS_IN_USE`, `BAD_REQUEST`
 */
export async function hostJob(module: string | URL, options: HostOptions): Promise<HostedJob> {
  const { openHost } = await import('./host.ts')
  return openHost(module, options)
}

/**
 * Works for one job, until it is over. Its module is imported and runs with the rights of this process.
 *
 * @throws {JobError} `OTHER_BUILD`, `BAD_JOB`, or `CANCELLED` by the signal
 * @throws {RpcError} when the coordinator refuses us or is not reached
 */
export async function runWorker(options: WorkerProcessOptions): Promise<void> {
  const { work } = await import('./worker-process.ts')
  await work(options)
}

/**
 * Is one program of a pipeline, in the protocol of Hadoop Streaming: the job's mapper, combiner or reducer, from standard input to
 * standard output. The input of a reducer is sorted by key, as `LC_ALL=C sort` does it.
 *
 * @throws {JobError} `BAD_JOB`, `BAD_INPUT` for input that is not sorted, `TASK_FAILED` @throws {DataError}
 */
export async function stream(
  role: StreamRole,
  module: string | URL,
  options: StreamJobOptions = {},
): Promise<void> {
  const { streamJob } = await import('./stream.ts')
  await streamJob(role, module, options)
}

/** The results in the output folder of a job that is done. @throws {JobError} `BAD_INPUT` when there are none, or not all */
export async function resultsIn(folder: string): Promise<JobResult> {
  const { openResults } = await import('./results.ts')
  return openResults(folder)
}

/** How far the job is that a coordinator runs. @throws {RpcError} `UNREACHABLE`, `UNAUTHORISED` */
export async function jobStatus(endpoint: Endpoint): Promise<JobStatus> {
  const { askStatus } = await import('./ask-status.ts')
  return askStatus(endpoint)
}

/** Where the job can be reached that writes to this folder. @throws {JobError} `BAD_INPUT` when none does */
export async function endpointOf(output: string): Promise<Endpoint> {
  const { readEndpoint } = await import('./endpoint.ts')
  return readEndpoint(output)
}

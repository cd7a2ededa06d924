/** A coordinator from options as people write them: everything that can be checked is checked before a task starts. */
import { basename, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { TraceSink } from '@lab/rpc'
import { systemDisk } from '@lab/rpc/disk'
import { Coordinator } from '../coordinator/coordinator.ts'
import type { Transition } from '../core/decision.ts'
import { JobError } from '../errors.ts'
import type { JobSpec } from '../protocol.ts'
import { buildOf } from './build-of.ts'
import { loadJob, type AnyJob } from './load-job.ts'
import { readInput } from './local-input.ts'
import { planInput, planKernel } from './plan-input.ts'
import { withoutUndefined } from './without-undefined.ts'

/** What is done with which data, wherever it is done. */
export interface JobOptions {
  /** Files, or patterns such as `books/*.txt`. */
  readonly input: string | readonly string[]
  /** The folder for the results: a new or an empty one, or that of an earlier run of the same job that was stopped. */
  readonly output: string
  /** R, the number of parts. Default: two for each worker's slot. */
  readonly reducers?: number
  /** Told to the job's functions by `context.parameters`. */
  readonly parameters?: Readonly<Record<string, string>>
  /** Larger files are cut into pieces of about this size, in bytes. Default 32 MB. */
  readonly splitBytes?: number
  /** Memory for a task before it spills, in bytes. Default 64 MB. */
  readonly memoryBytes?: number
  /** Bad records that may be left out. Default 0: one is enough to end the job. */
  readonly skipMax?: number
  /** Attempts of a task before the job fails. Default 4. */
  readonly attemptsMax?: number
  /** A function that finishes no record for so long hangs. Default 60 000. */
  readonly hangMs?: number
  /** Second attempts of slow tasks. Default true. */
  readonly backups?: boolean
  /** Workers not heard from for so long are lost. Default 10 000. */
  readonly leaseMs?: number
  /** Must the results outlive a loss of power once the job is done? Default true: they are synced, at the speed of the disk. */
  readonly durable?: boolean
  readonly trace?: TraceSink
  readonly onTransition?: (transition: Transition) => void
}

/** @param given the job, when it is loaded @throws {JobError} */
export async function openCoordinator(
  module: string | null,
  given: AnyJob | null,
  options: JobOptions,
): Promise<Coordinator> {
  const job = given ?? (await loadJob(module ?? ''))
  const { parameters = {}, reducers = 4, memoryBytes = 64 * 2 ** 20, hangMs = 60_000 } = options
  if (!Number.isInteger(reducers) || reducers < 1)
    throw new JobError('BAD_JOB', `the number of reducers is an integer from 1 on, not ${String(reducers)}`)
  const splits = planInput(job, options.input, options.splitBytes)
  const spec: JobSpec = {
    name: job.name ?? (module === null ? 'job' : basename(fileURLToPath(module)).replace(/\.\w+$/, '')),
    module: module ?? '',
    build: module === null ? '' : buildOf(module),
    plan: planKernel(job, splits, reducers),
    ...{ parameters, reduces: reducers, budgetBytes: memoryBytes, hangMs, seed: 0 },
  }
  const { skipMax, attemptsMax, backups, leaseMs, durable, trace, onTransition } = options
  const schedule = withoutUndefined({ skipMax, attemptsMax, backups, leaseMs })
  return Coordinator.open({
    job: spec,
    splits,
    output: resolve(options.output),
    isSorted: job.order !== 'none',
    disk: systemDisk,
    readInput,
    schedule,
    ...withoutUndefined({ durable, trace, onTransition }),
  })
}

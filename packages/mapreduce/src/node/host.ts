/** A coordinator that others can reach: options as people write them, resolved into one that is open and served. */
import { randomBytes } from 'node:crypto'
import { rmSync } from 'node:fs'
import { basename, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { serve, type Server, type TraceSink } from '@lab/rpc'
import { systemDisk } from '@lab/rpc/disk'
import { Coordinator, type JobReport } from '../coordinator/coordinator.ts'
import { coordinatorService } from '../coordinator/service.ts'
import { statusOf, type JobStatus } from '../coordinator/status.ts'
import type { Transition } from '../core/decision.ts'
import { JobError } from '../errors.ts'
import type { JobSpec } from '../protocol.ts'
import { CLUSTER_ID } from './cluster-id.ts'
import { socketTransports } from './socket-transports.ts'
import { buildOf, loadJob, type AnyJob } from './load-job.ts'
import { readInput } from './local-input.ts'
import { moduleUrl } from './module-url.ts'
import { planInput, planKernel } from './plan-input.ts'
import { writeEndpoint } from './endpoint.ts'

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
  /** Larger files are cut into pieces of about this size, in bytes. Default 64 MB. */
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

export interface HostOptions extends JobOptions {
  /** Where workers reach us, by `tcp://` or `ws://`. Default `localhost:0`, by TCP. */
  readonly listen?: string
  /** Allows `listen` to be reached by other machines without TLS. */
  readonly insecure?: boolean
  /** What workers must know. Default: drawn. */
  readonly secret?: string
}

/** A job that waits for workers, or has some. */
export interface HostedJob {
  /** Where workers join. */
  readonly address: string
  /** What workers must know. */
  readonly secret: string
  /** Resolves when the output is whole. @throws {JobError} when the job failed, or was closed */
  readonly done: Promise<JobReport>
  status(): JobStatus
  /** Stops at once. What is done stays done, for a job that is hosted again with the same options. */
  close(): Promise<void>
}

/** Checks everything that can be checked before a task starts. @throws {JobError} */
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

/** Opens the coordinator and a port for workers. @throws {JobError} @throws {RpcError} `ADDRESS_IN_USE` */
export async function openHost(module: string | URL, options: HostOptions): Promise<HostedJob> {
  const { listen = 'localhost:0', secret = randomBytes(16).toString('hex'), insecure } = options
  const coordinator = await openCoordinator(moduleUrl(module), null, options)
  let server: Server
  try {
    server = await serve(
      {
        transports: socketTransports(),
        listen,
        token: secret,
        identity: { clusterId: CLUSTER_ID },
        ...withoutUndefined({ insecure }),
      },
      [coordinatorService(coordinator)],
    )
  } catch (error) {
    await coordinator.close()
    throw error
  }
  writeEndpoint(options.output, { address: server.address, secret })
  return {
    address: server.address,
    secret,
    done: coordinator.done,
    status: () => statusOf(coordinator),
    close: async () => {
      await coordinator.close()
      await server.close({ drainMs: 0 })
      if (coordinator.failure === null) rmSync(coordinator.folder.attempts, { recursive: true, force: true })
    },
  }
}

/** What is left out takes the default; what is undefined would replace it. */
function withoutUndefined<T extends object>(given: T): { [K in keyof T]: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)) as {
    [K in keyof T]: Exclude<T[K], undefined>
  }
}

/** A worker as a process of its own: one link to the coordinator, one port for the shuffle, threads for the tasks. */
import { hostname, tmpdir } from 'node:os'
import { onAbort, serve, type LinkOptions, type Server } from '@lab/rpc'
import { systemFiles } from '../data/system-files.ts'
import type { Executor } from '../worker/executor.ts'
import { shuffleService } from '../worker/shuffle.ts'
import { Worker } from '../worker/worker.ts'
import { CLUSTER_ID } from './cluster-id.ts'
import { freePort } from './free-port.ts'
import { moduleUrl } from './module-url.ts'
import { socketTransports } from './socket-transports.ts'
import { TemporaryFolder } from './temporary-folder.ts'
import { ThreadExecutor } from './thread-executor.ts'

export interface WorkerProcessOptions {
  /** The coordinator's address. */
  readonly join: string
  /** The job's secret. Without it the coordinator refuses us. */
  readonly secret: string
  /** Tasks at a time. Default 1. */
  readonly slots?: number
  /** Where map outputs lie until the job is over. Default: a folder of its own in the system's folder for temporary files. */
  readonly folder?: string
  /** Others fetch map outputs over the network, also where they could open them. Default false. */
  readonly streams?: boolean
  /** Where others fetch map outputs. Default: a free port of 127.0.0.1, by what the coordinator is reached by. */
  readonly listen?: string
  /** Allows `listen` to be reached by other machines without TLS. */
  readonly insecure?: boolean
  /** The job's module on this machine, when it is elsewhere than on the coordinator's. */
  readonly module?: string
  readonly execArgv?: readonly string[]
  readonly heapMb?: number
  readonly patienceMs?: number
  /** Ends the work early: what is unfinished goes to others. */
  readonly signal?: AbortSignal
  readonly onEvent?: (text: string) => void
}

/**
 * Works for one job, until it is over.
 *
 * @throws {JobError} `OTHER_BUILD`, `BAD_JOB`, or `CANCELLED` by the signal
 * @throws {RpcError} when the coordinator refuses us or is not reached
 */
export async function work(options: WorkerProcessOptions): Promise<void> {
  const { module, execArgv, heapMb } = options
  const executor = new ThreadExecutor({
    module: module === undefined ? undefined : moduleUrl(module),
    ...{ threads: options.slots, execArgv, heapMb },
  })
  await workWith(executor, options)
}

/** As {@link work}, with attempts made by `executor`. */
export async function workWith(executor: Executor, options: WorkerProcessOptions): Promise<void> {
  const {
    join: coordinator,
    secret,
    slots = 1,
    listen = freePort(options.join.startsWith('ws') ? 'ws' : 'tcp'),
    insecure,
    signal,
    onEvent,
    patienceMs,
    streams = false,
  } = options
  const own = new TemporaryFolder(options.folder ?? tmpdir(), `lab-mr-${String(process.pid)}-`)
  const folder = own.path
  const identity = { clusterId: CLUSTER_ID, token: secret }
  const link: LinkOptions = { transports: socketTransports(), identity }
  let server: Server | undefined
  let stopListening: (() => void) | undefined
  try {
    server = await serve(
      {
        transports: socketTransports(),
        listen,
        token: secret,
        identity: { clusterId: CLUSTER_ID },
        ...(insecure === undefined ? {} : { insecure }),
      },
      [shuffleService(systemFiles, folder)],
    )
    const worker = new Worker({
      ...{ coordinator, link, slots, executor, folder, streams },
      address: server.address,
      host: hostname(),
      pid: process.pid,
      files: systemFiles,
      ...(patienceMs === undefined ? {} : { patienceMs }),
      ...(onEvent === undefined ? {} : { onEvent }),
    })
    stopListening = signal === undefined ? undefined : onAbort(signal, () => void worker.stop())
    await worker.run()
  } finally {
    // A process may work for one job after the other, and its signal outlives them all.
    stopListening?.()
    await server?.close({ drainMs: 0 })
    own.remove()
  }
}

/**
 * The program of a worker process that `run` starts. What it can begin with, before there is a coordinator, comes in the
 * environment; where the coordinator is, and its secret, come on standard input.
 */
import { availableParallelism } from 'node:os'
import { text } from 'node:stream/consumers'
import { setFlagsFromString } from 'node:v8'
import { toError } from '@lab/rpc'
import { ThreadExecutor } from './thread-executor.ts'
import type { WorkerProcessOptions } from './worker-process.ts'

/** What is known from the start. */
export interface EarlyOptions {
  /** The job's module, as a URL: its thread begins to load it at once. */
  readonly module?: string
  readonly heapMb?: number
  /** Processes that work beside each other on this machine, this one included. */
  readonly workers?: number
}

async function main(): Promise<void> {
  const stop = new AbortController()
  process.once('SIGTERM', () => {
    stop.abort()
  })
  const { module, heapMb, workers = 1 } = JSON.parse(process.env['LAB_MR_WORKER'] ?? '{}') as EarlyOptions
  delete process.env['LAB_MR_WORKER']
  // Where there is one for each core, the helpers of one's collector would take the time of others. Not by a flag of the process: whoever
  // hands on what it was started with, to a thread, would be refused.
  if (workers >= availableParallelism()) setFlagsFromString('--no-parallel-scavenge')
  const executor = new ThreadExecutor({ heapMb })
  if (module !== undefined) executor.warm(module)
  const { workWith } = await import('./worker-process.ts')
  const options = JSON.parse(await text(process.stdin)) as WorkerProcessOptions
  await workWith(executor, { ...options, signal: stop.signal })
}

main().then(
  () => process.exit(0),
  (thrown: unknown) => {
    process.stderr.write(`worker ${String(process.pid)}: ${toError(thrown).message}\n`)
    process.exit(1)
  },
)

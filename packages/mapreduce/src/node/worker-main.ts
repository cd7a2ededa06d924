/**
 * The program of a worker process that `run` starts. What it can begin with, before there is a coordinator, comes in the
 * environment; where the coordinator is, and its secret, come on standard input.
 */
import { text } from 'node:stream/consumers'
import { toError } from '@lab/rpc'
import { ThreadExecutor } from './thread-executor.ts'
import type { WorkerProcessOptions } from './worker-process.ts'

/** What is known from the start. */
export interface EarlyOptions {
  /** The job's module, as a URL: its thread begins to load it at once. */
  readonly module?: string
  readonly heapMb?: number
}

async function main(): Promise<void> {
  const stop = new AbortController()
  process.once('SIGTERM', () => {
    stop.abort()
  })
  const { module, heapMb } = JSON.parse(process.env['LAB_MR_WORKER'] ?? '{}') as EarlyOptions
  delete process.env['LAB_MR_WORKER']
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

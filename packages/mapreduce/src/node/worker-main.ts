/** The program of a worker process that `run` starts: its options come as JSON in the environment, and are seen by nobody else. */
import { toError } from '@lab/rpc'
import { work, type WorkerProcessOptions } from './worker-process.ts'

async function main(): Promise<void> {
  const stop = new AbortController()
  process.once('SIGTERM', () => {
    stop.abort()
  })
  const options = JSON.parse(process.env['LAB_MR_WORKER'] ?? '{}') as WorkerProcessOptions
  delete process.env['LAB_MR_WORKER']
  await work({ ...options, signal: stop.signal })
}

main().then(
  () => process.exit(0),
  (thrown: unknown) => {
    process.stderr.write(`worker ${String(process.pid)}: ${toError(thrown).message}\n`)
    process.exit(1)
  },
)

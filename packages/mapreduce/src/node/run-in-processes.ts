/** A job in worker processes of this machine, of which each may die. */
import { availableParallelism, tmpdir } from 'node:os'
import type { JobReport } from '../coordinator/coordinator.ts'
import { freePort } from './free-port.ts'
import type { HostedJob } from './host.ts'
import type { RunOptions } from './run.ts'
import { TemporaryFolder } from './temporary-folder.ts'
import { watched } from './watched.ts'
import { WorkerFleet } from './worker-fleet.ts'

export async function runInProcesses(module: string, options: RunOptions): Promise<JobReport> {
  const workers = options.workers ?? availableParallelism()
  const listen = freePort(options.transport === 'websocket' ? 'ws' : 'tcp')
  let host: HostedJob | undefined
  const fleet = new WorkerFleet(workers, module, {
    ...options,
    onExit: (pid) => {
      host?.ended(pid)
    },
  })
  const own = new TemporaryFolder(options.spillFolder ?? tmpdir(), 'lab-mr-')
  try {
    // Loaded while they start.
    const { openHost } = await import('./host.ts')
    host = await openHost(module, { reducers: 2 * workers, listen, ...options })
    const { address: join, secret } = host
    fleet.join({ join, secret, folder: own.path, streams: options.streams === true })
    const report = await watched(host, options, fleet.failed)
    await fleet.gone()
    return report
  } finally {
    await fleet.stop()
    await host?.close()
    own.remove()
  }
}

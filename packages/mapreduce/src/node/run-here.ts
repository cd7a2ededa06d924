/** A job in this process: attempts are made in its threads, or in the only one. */
import { tmpdir } from 'node:os'
import { serve } from '@lab/rpc'
import { memory, MemoryNetwork } from '@lab/rpc/memory'
import type { Coordinator, JobReport } from '../coordinator/coordinator.ts'
import { coordinatorService } from '../coordinator/service.ts'
import { statusOf } from '../coordinator/status.ts'
import { systemFiles } from '../data/system-files.ts'
import type { Executor } from '../worker/executor.ts'
import { Worker } from '../worker/worker.ts'
import { InlineExecutor } from './inline-executor.ts'
import { loadJob, type AnyJob } from './load-job.ts'
import { openCoordinator } from './open-coordinator.ts'
import type { RunOptions } from './run.ts'
import { TemporaryFolder } from './temporary-folder.ts'
import type { ThreadExecutor } from './thread-executor.ts'
import { watched } from './watched.ts'

/**
 * @param module of the job, which threads load
 * @param given the job, when there is no module to load it from
 * @param threads that load it already, the caller's to close; null for this thread alone
 */
export async function runHere(
  module: string | null,
  given: AnyJob | null,
  threads: ThreadExecutor | null,
  options: RunOptions,
): Promise<JobReport> {
  const slots = threads?.threads ?? 1
  const own = new TemporaryFolder(options.spillFolder ?? tmpdir(), 'lab-mr-')
  try {
    const job = given ?? (await loadJob(module ?? ''))
    // Two of each at least, for what depends on there being one task to show.
    const coordinator = await openCoordinator(module, job, { reducers: 2 * slots, ...options })
    try {
      const executor = threads ?? new InlineExecutor(job)
      return await workHere(coordinator, { executor, slots, folder: own.path }, options)
    } finally {
      await coordinator.close()
    }
  } finally {
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

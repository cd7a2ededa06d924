import type { JobReport } from '../coordinator/coordinator.ts'
import type { HostedJob } from './host.ts'
import type { RunOptions } from './run.ts'

const PROGRESS_MS = 200

/** Waits for the end, telling how far it is. @param failed rejects when there is nobody left to do the work */
export async function watched(
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

/** Jobs are modules: threads and workers import them, nothing is shipped. What stands in them runs with our rights. */
import { toError } from '@lab/rpc'
import { JobError } from '../errors.ts'
import { checkJob, type Job } from '../job.ts'

export type AnyJob = Job<unknown, unknown, unknown, unknown, unknown>

/** The job that a module exports by default. @throws {JobError} `BAD_JOB` */
export async function loadJob(module: string): Promise<AnyJob> {
  let exported: { readonly default?: unknown }
  try {
    exported = (await import(module)) as typeof exported
  } catch (thrown) {
    const error = toError(thrown)
    const hint =
      'code' in error && error.code === 'ERR_UNKNOWN_FILE_EXTENSION'
        ? ': this Node does not strip types; use `lab mr`, a loader by --import, Node 22.18 or newer, or JavaScript'
        : ''
    throw new JobError('BAD_JOB', `cannot load ${module}: ${error.message}${hint}`, { cause: thrown })
  }
  checkJob(exported.default)
  return exported.default
}

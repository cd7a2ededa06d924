/** Jobs one after another: the parts that one has made are the input of the next. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { Job } from '../job.ts'
import { MANIFEST } from '../manifest.ts'
import { openResults } from './results.ts'
import { runJob, type JobResult, type RunOptions } from './run.ts'

/** A stage: a job, or the module of one. */
export type Stage =
  | { readonly map: (...given: never[]) => unknown; readonly reduce: (...given: never[]) => unknown }
  | string
  | URL

/**
 * Runs the stages in order. Each but the last leaves its output in `OUTPUT.1`, `OUTPUT.2` and so on, beside the last one's; the next
 * reads what its manifest names. Stages that are done are not run again when a pipeline is started anew.
 *
 * @throws {JobError} of the stage that failed
 */
export async function runPipeline(stages: readonly Stage[], options: RunOptions): Promise<JobResult> {
  let input = options.input
  let result: JobResult | undefined
  for (const [number, stage] of stages.entries()) {
    const isLast = number === stages.length - 1
    const output = isLast ? options.output : `${options.output}.${String(number + 1)}`
    result = await runStage(stage, { ...options, input, output }, isLast)
    input = result.manifest.parts.map(({ name }) => join(output, name))
  }
  if (result === undefined) throw new RangeError('a pipeline has one stage at least')
  return result
}

async function runStage(stage: Stage, options: RunOptions, isLast: boolean): Promise<JobResult> {
  if (!isLast && existsSync(join(options.output, MANIFEST))) return openResults(options.output)
  // The types between stages meet in files, where nobody can check them; that it is a job is checked when it runs.
  return runJob(stage as Job | string | URL, options)
}

/** From what the user names as input to the splits of map tasks. */
import { statSync } from 'node:fs'
import { resolve } from 'node:path'
import { JobError } from '../errors.ts'
import type { Split } from '../formats.ts'
import { globSync } from './glob.ts'
import type { AnyJob } from './load-job.ts'

const SPLIT_BYTES = 64 * 2 ** 20

/** One list of splits for each map task, files in the order of their names. @throws {JobError} `BAD_INPUT` */
export function planInput(
  job: AnyJob,
  input: string | readonly string[],
  splitBytes = SPLIT_BYTES,
): Split[][] {
  const patterns = typeof input === 'string' ? [input] : input
  const files = [...new Set(patterns.flatMap((pattern) => filesOf(pattern)))]
  return files
    .flatMap((file) => splitsOf(file, job.input?.splittable === false ? Infinity : splitBytes))
    .map((split) => [split])
}

function filesOf(pattern: string): string[] {
  const found = globSync(pattern).map((path) => resolve(path))
  const files = found.filter((path) => statSync(path).isFile()).sort()
  if (files.length === 0) throw new JobError('BAD_INPUT', `no file matches ${pattern}`)
  return files
}

function splitsOf(file: string, splitBytes: number): Split[] {
  const fileBytes = statSync(file).size
  const count = Math.max(1, Math.ceil(fileBytes / splitBytes))
  const each = Math.ceil(fileBytes / count)
  return Array.from({ length: count }, (_, i) => ({
    file,
    start: i * each,
    end: Math.min(fileBytes, (i + 1) * each),
    fileBytes,
  }))
}

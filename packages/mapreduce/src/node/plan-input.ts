/** From what the user names as input to the splits of map tasks. */
import { statSync } from 'node:fs'
import { resolve } from 'node:path'
import { formatOfFile } from '../data/gzip-format.ts'
import { textLines } from '../data/line-formats.ts'
import type { TaskFile } from '../data/files.ts'
import { systemFiles } from '../data/system-files.ts'
import { packSplits, planSplits } from '../data/plan-splits.ts'
import { JobError } from '../errors.ts'
import type { InputFormat, Split } from '../formats.ts'
import { globSync } from './glob.ts'
import type { AnyJob } from './load-job.ts'

/** Two maps at least, wherever the input can be cut: what a job wrongly keeps between records then shows. */
const SPLITS_MIN = 2

/** One list of splits for each map task, files in the order of their names. @throws {JobError} `BAD_INPUT` */
export function planInput(job: AnyJob, input: string | readonly string[], splitBytes?: number): Split[][] {
  const format: InputFormat<unknown> = job.input ?? textLines
  const patterns = typeof input === 'string' ? [input] : input
  const files = [...new Set(patterns.flatMap((pattern) => filesOf(pattern)))]
  const sized = files.map((file) => ({ file, size: statSync(file).size }))
  const options = {
    splitsMin: SPLITS_MIN,
    splittable: (file: string) => formatOfFile(format, file).splittable,
  }
  const splits = planSplits(sized, splitBytes === undefined ? options : { ...options, splitBytes })
  return packSplits(splits, splitBytes)
}

/** What the job's kernel draws from the input; '' when it draws nothing. */
export function planKernel(
  { kernel }: AnyJob,
  splits: readonly (readonly Split[])[],
  partitions: number,
): string {
  if (kernel?.plan === undefined) return ''
  const files = [...new Map(splits.flat().map((split) => [split.file, split])).values()]
  const open = new Map<string, TaskFile>()
  try {
    return kernel.plan({
      files,
      partitions,
      read(name, position, length) {
        const file = open.get(name) ?? systemFiles.open(name)
        open.set(name, file)
        const bytes = new Uint8Array(length)
        return bytes.subarray(0, file.read(bytes, position))
      },
    })
  } finally {
    for (const file of open.values()) file.close()
  }
}

function filesOf(pattern: string): string[] {
  const found = globSync(pattern).map((path) => resolve(path))
  const files = found.filter((path) => statSync(path).isFile()).sort()
  if (files.length === 0) throw new JobError('BAD_INPUT', `no file matches ${pattern}`)
  return files
}

/** Jobs are modules: threads and workers import them, nothing is shipped. What stands in them runs with our rights. */
import { createHash } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
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

const RELATIVE_IMPORT = /(?:\bfrom|\bimport)\s*\(?\s*['"](\.{1,2}\/[^'"]+)['"]/g

/** A hash of a module and of all that it reaches by relative imports. The same files give the same on every machine. */
export function buildOf(module: string): string {
  const hash = createHash('sha256')
  const seen = new Set([module])
  // A set hands out what is added while it is walked.
  for (const url of seen) {
    const path = fileURLToPath(url)
    if (!existsSync(path)) {
      if (url === module) throw new JobError('BAD_JOB', `there is no ${path}`)
      continue
    }
    const text = readFileSync(path, 'utf8')
    hash.update(`${String(text.length)}\n`).update(text)
    for (const [, specifier = ''] of text.matchAll(RELATIVE_IMPORT)) seen.add(new URL(specifier, url).href)
  }
  return hash.digest('hex').slice(0, 32)
}

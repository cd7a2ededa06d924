import { createHash } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { JobError } from '../errors.ts'

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

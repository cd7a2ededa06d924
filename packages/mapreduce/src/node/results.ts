/** The output of a job that is done, as its readers see it. */
import { createReadStream, existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { JobError } from '../errors.ts'
import { MANIFEST, type Manifest } from '../manifest.ts'
import type { JobResult } from './run.ts'

/** @throws {JobError} `BAD_INPUT` when the folder holds no whole output */
export function readManifest(folder: string): Manifest {
  const path = join(folder, MANIFEST)
  if (!existsSync(path))
    throw new JobError(
      'BAD_INPUT',
      `${folder} holds no output of a job that is done: ${MANIFEST} is not there`,
    )
  return JSON.parse(readFileSync(path, 'utf8')) as Manifest
}

/** The results in a folder. @throws {JobError} `BAD_INPUT` when there are none, or not all */
export function openResults(folder: string): JobResult {
  return new Results(folder, readManifest(folder), 0)
}

export class Results implements JobResult {
  readonly output: string
  readonly manifest: Manifest
  readonly elapsedMs: number

  constructor(output: string, manifest: Manifest, elapsedMs: number) {
    this.output = output
    this.manifest = manifest
    this.elapsedMs = elapsedMs
  }

  async *[Symbol.asyncIterator](): AsyncIterator<readonly [key: string, value: string]> {
    for await (const line of this.lines()) {
      const tab = line.indexOf('\t')
      yield tab === -1 ? [line, ''] : [line.slice(0, tab), line.slice(tab + 1)]
    }
  }

  /** All lines of all parts: where the parts are sorted by key, in that order. */
  async *lines(): AsyncGenerator<string, void, undefined> {
    const parts = this.manifest.parts.map(({ name }) => linesOf(join(this.output, name)))
    if (!this.manifest.isSorted) {
      for (const part of parts) yield* part
      return
    }
    const heads = await Promise.all(parts.map(headOf))
    for (let least = leastOf(heads); least !== null; least = leastOf(heads)) {
      yield least.line
      const index = heads.indexOf(least)
      heads[index] = await headOf(least.rest)
    }
  }
}

interface Head {
  readonly line: string
  /** UTF-8, in whose order keys are sorted. */
  readonly key: Buffer
  readonly rest: AsyncIterator<string>
}

async function headOf(rest: AsyncIterator<string>): Promise<Head | null> {
  const next = await rest.next()
  if (next.done === true) return null
  const line = next.value
  const tab = line.indexOf('\t')
  return { line, key: Buffer.from(tab === -1 ? line : line.slice(0, tab)), rest }
}

function leastOf(heads: readonly (Head | null)[]): Head | null {
  let least: Head | null = null
  for (const head of heads)
    if (head !== null && (least === null || head.key.compare(least.key) < 0)) least = head
  return least
}

async function* linesOf(path: string): AsyncGenerator<string, void, undefined> {
  if (!existsSync(path)) throw new JobError('BAD_INPUT', `${path} is in the manifest and not there`)
  yield* createInterface({ input: createReadStream(path), crlfDelay: Infinity })
}

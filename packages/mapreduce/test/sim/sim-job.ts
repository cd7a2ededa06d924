/** A job with its input in memory, and what a sequential run of it gives: no engine, one Map and one sort. */
import type { JobSpec } from '../../src/protocol.ts'
import type { Split } from '../../src/formats.ts'
import type { TaskContext } from '../../src/context.ts'
import type { Job } from '../../src/job.ts'

export interface SimJob {
  readonly spec: JobSpec
  readonly job: Job<unknown, unknown, unknown, unknown, unknown>
  readonly files: ReadonlyMap<string, Uint8Array>
  readonly splits: readonly (readonly Split[])[]
}

/** One split for each file. */
export function simJob<K, V>(
  job: Job<string, K, V>,
  texts: Readonly<Record<string, string>>,
  options: Partial<JobSpec> = {},
): SimJob {
  const encoder = new TextEncoder()
  const files = new Map(Object.entries(texts).map(([name, text]) => [name, encoder.encode(text)]))
  return {
    spec: {
      ...{ name: 'job', module: '', build: 'b1', parameters: {}, reduces: 4, budgetBytes: 1 << 20 },
      ...{ hangMs: 60_000, seed: 0, plan: '' },
      ...options,
    },
    job,
    files,
    splits: [...files].map(([file, bytes]) => [
      { file, start: 0, end: bytes.length, fileBytes: bytes.length },
    ]),
  }
}

/** `key<TAB>value` lines of all keys, sorted: what the lines of all parts, sorted, must be byte by byte. */
export function sequentially<K extends string, V>(
  job: Job<string, K, V>,
  texts: Readonly<Record<string, string>>,
): string {
  const groups = new Map<K, V[]>()
  const context: TaskContext = {
    kind: 'map',
    task: 0,
    attempt: 1,
    parameters: {},
    inputFile: '',
    offset: 0,
    signal: new AbortController().signal,
    counter: () => ({ add: () => undefined }),
    status: () => undefined,
    sideFile: () => ({ write: () => undefined }),
  }
  for (const [file, text] of Object.entries(texts))
    for (const line of text.split('\n').slice(0, text.endsWith('\n') ? -1 : undefined))
      void job.map(line, (key, value) => void groups.set(key, [...(groups.get(key) ?? []), value]), {
        ...context,
        inputFile: file,
      })
  const lines: string[] = []
  for (const [key, values] of groups)
    void job.reduce(
      key,
      values,
      (outKey, outValue) => void lines.push(`${outKey}\t${String(outValue)}\n`),
      context,
    )
  return sortedLines(lines.join(''))
}

export function sortedLines(text: string): string {
  return text
    .split('\n')
    .slice(0, -1)
    .sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)))
    .map((line) => `${line}\n`)
    .join('')
}

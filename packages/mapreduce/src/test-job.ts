/** Jobs in tests: the functions of a job on a few records, without files, threads or an engine. */
import { compareBytes } from './data/compare.ts'
import { toInPlace } from './data/in-place.ts'
import { textKey } from './data/keys.ts'
import type { TaskContext } from './context.ts'
import type { KeyCodec } from './formats.ts'
import type { Emit, Job } from './job.ts'
import { emitTo } from './task/sliced.ts'

export interface TestJobOptions {
  readonly parameters?: Readonly<Record<string, string>>
  /** What `context.inputFile` says. Default `test`. */
  readonly inputFile?: string
}

export interface TestJobResult<K, V, OutK, OutV> {
  /** What map emitted, in order. */
  readonly mapped: readonly (readonly [K, V])[]
  /** What reduce emitted, in the order of keys. */
  readonly output: readonly (readonly [OutK, OutV])[]
  readonly counters: Readonly<Record<string, number>>
  /** What was written to side files, by name. */
  readonly sideFiles: Readonly<Record<string, string>>
}

/**
 * Maps the records and reduces what came of them. With a combiner, each key's values are combined first in pairs, as an engine
 * may do: a job that gives something else then is not fit for one.
 *
 * @throws what the job's functions throw
 * @example
 * const { output } = await testJob(job, ['to be', 'or not to be'])
 * expect(output).toEqual([['be', 2], ['not', 1], ['or', 1], ['to', 2]])
 */
export async function testJob<Rec, K, V, OutK, OutV>(
  job: Job<Rec, K, V, OutK, OutV>,
  records: Iterable<Rec>,
  options: TestJobOptions = {},
): Promise<TestJobResult<K, V, OutK, OutV>> {
  const counters: Record<string, number> = {}
  const sideFiles: Record<string, string> = {}
  const contextOf = (kind: 'map' | 'reduce'): TaskContext => ({
    kind,
    task: 0,
    attempt: 1,
    parameters: options.parameters ?? {},
    inputFile: kind === 'map' ? (options.inputFile ?? 'test') : '',
    offset: 0,
    signal: new AbortController().signal,
    counter: (name) => ({
      add(amount = 1) {
        counters[name] = (counters[name] ?? 0) + amount
      },
    }),
    status: () => undefined,
    sideFile: (name) => ({
      write(data) {
        sideFiles[name] =
          (sideFiles[name] ?? '') + (typeof data === 'string' ? data : new TextDecoder().decode(data))
      },
    }),
  })
  const mapped = await mapAll(job, records, contextOf('map'))
  const output = await reduceAll(job, mapped, contextOf('reduce'))
  return { mapped, output, counters, sideFiles }
}

async function mapAll<Rec, K, V, OutK, OutV>(
  job: Job<Rec, K, V, OutK, OutV>,
  records: Iterable<Rec>,
  context: TaskContext,
): Promise<(readonly [K, V])[]> {
  const mapped: (readonly [K, V])[] = []
  await job.setup?.(context)
  for (const record of records) await job.map(record, taking(mapped), context)
  await job.teardown?.(context)
  return mapped
}

async function reduceAll<Rec, K, V, OutK, OutV>(
  job: Job<Rec, K, V, OutK, OutV>,
  mapped: readonly (readonly [K, V])[],
  context: TaskContext,
): Promise<(readonly [OutK, OutV])[]> {
  const output: (readonly [OutK, OutV])[] = []
  await job.setup?.(context)
  for (const { key, values } of grouped(job, mapped)) await job.reduce(key, values, taking(output), context)
  await job.teardown?.(context)
  return output
}

function taking<K, V>(pairs: (readonly [K, V])[]): Emit<K, V> {
  return emitTo((key, value) => void pairs.push([key as K, value as V]))
}

/** By the bytes of the key, in their order, as reduce tasks see them. */
function grouped<K, V>(
  { key: codec, combine }: Pick<Job<unknown, K, V>, 'key' | 'combine'>,
  mapped: readonly (readonly [K, V])[],
): { key: K; values: V[] }[] {
  const keys = toInPlace(codec ?? (textKey as unknown as KeyCodec<K>))
  const groups = new Map<string, { key: K; bytes: Uint8Array; values: V[] }>()
  for (const [key, value] of mapped) {
    const bytes = new Uint8Array(keys.bytesMax(key))
    const encoded = bytes.subarray(0, keys.write(key, bytes, 0))
    const name = String.fromCharCode(...encoded)
    const group = groups.get(name) ?? { key, bytes: encoded, values: [] }
    group.values.push(value)
    groups.set(name, group)
  }
  return [...groups.values()]
    .sort((a, b) => compareBytes(a.bytes, 0, a.bytes.length, b.bytes, 0, b.bytes.length))
    .map(({ key, values }) => ({
      key,
      values: combine === undefined ? values : inPairs(values, (a, b) => combine(a, b, key)),
    }))
}

function inPairs<V>(values: readonly V[], combine: (left: V, right: V) => V): V[] {
  const combined: V[] = []
  for (let at = 0; at < values.length; at += 2) {
    const left = values[at] as V
    combined.push(at + 1 < values.length ? combine(left, values[at + 1] as V) : left)
  }
  return combined
}

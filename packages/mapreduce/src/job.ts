/**
 * What a user writes: one module that exports a job by default. Nothing here runs anything.
 *
 *     record ──▶ map ──▶ (key, value) … ──▶ [combine] ──▶ sorted by key ──▶ reduce ──▶ (key, value) … ──▶ part files
 */
import type { TaskContext } from './context.ts'
import type { Kernel } from './kernels/kernel.ts'
import { JobError } from './errors.ts'
import type { InputFormat, KeyCodec, OutputFormat, ValueCodec } from './formats.ts'

/**
 * Gives one pair. Valid only until the function that it was given to has returned, or its promise is settled. Where keys are
 * bytes, `emit(line, value, start, end)` takes bytes [start, end) of the line as the key: a view for each would cost more than
 * all else that is done with it.
 */
export type Emit<K, V> = (key: K, value: V, start?: number, end?: number) => void

/** Functions of a job may wait, or not: a promise is waited for, anything else is not. */
export type MaybeAsync = void | Promise<void>

/**
 * A job, its types from record to output: `Rec` is what the input format makes of the bytes, `K` and `V` are what map
 * emits and reduce gets, `OutK` and `OutV` are what reduce emits. Map and reduce must be deterministic: a task may run
 * more than once, and the output is that of a sequential run only if every run gives the same (MapReduce §3.3).
 */
export interface Job<Rec = string, K = string, V = number, OutK = string, OutV = string | number> {
  /** Shown to people. Default: the name of the module's file. */
  readonly name?: string
  /** `import.meta.url` of the module that exports the job: for {@link run} with the job itself, on threads or a cluster. */
  readonly module?: string
  /** Makes records of the input. Default: lines of text. */
  readonly input?: InputFormat<Rec>
  /** Turns keys into bytes whose order is the order of the keys. Default: UTF-8 text. */
  readonly key?: KeyCodec<K>
  /** Turns values into bytes. Default: JSON, with a short form for numbers and text. */
  readonly value?: ValueCodec<V>
  /** Writes the part files. Default: lines of `key<TAB>value`. */
  readonly output?: OutputFormat<OutK, OutV>
  /** Called once for each record (MapReduce §2). */
  map(record: Rec, emit: Emit<K, V>, context: TaskContext): MaybeAsync
  /** Called once for each key, in the order of keys; `values` can be gone through once. */
  reduce(key: K, values: Iterable<V>, emit: Emit<OutK, OutV>, context: TaskContext): MaybeAsync
  /**
   * Makes one value of two, before they leave the machine that mapped them (§4.3). Must be associative and commutative,
   * for it is called with any two values of a key, in any order, as often as the engine likes.
   */
  combine?(left: V, right: V, key: K): V
  /** Which reduce task gets a key: an integer from 0 to `partitions - 1` (§4.1). Default: a hash of the key's bytes. */
  partition?(key: K, partitions: number): number
  /** Does the same as `map`, faster: made by `tokenCounts` and its like. */
  readonly kernel?: Kernel
  /** `'none'` lets reduce see keys in any order, which is cheaper when there is a combiner. Default: bytewise by key (§4.2). */
  readonly order?: 'key' | 'none'
  /** Called before the first record of a task, in the thread that runs it. */
  setup?(context: TaskContext): MaybeAsync
  /** Called after the last record of a task that did not fail. */
  teardown?(context: TaskContext): MaybeAsync
}

/**
 * Checks a job and gives it back with its types: those of `emit`, of `values` and of the output follow from the formats
 * named, from annotations, or from the defaults (text keys, numbers as values).
 *
 * @throws {JobError} `BAD_JOB` when something that a job must have is missing or is no function
 * @example
 * export default defineJob({
 *   map(line: string, emit) {
 *     for (const word of line.match(/[A-Za-z]+/g) ?? []) emit(word, 1)
 *   },
 *   reduce(word, counts, emit) {
 *     let sum = 0
 *     for (const count of counts) sum += count
 *     emit(word, sum)
 *   },
 * })
 */
export function defineJob<Rec = string, K = string, V = number, OutK = string, OutV = string | number>(
  job: Job<Rec, K, V, OutK, OutV>,
): Job<Rec, K, V, OutK, OutV> {
  checkJob(job)
  return job
}

const FUNCTIONS = ['map', 'reduce', 'combine', 'partition', 'setup', 'teardown'] as const
const NEEDED: readonly string[] = ['map', 'reduce']

/** Is this what {@link defineJob} would take? @throws {JobError} `BAD_JOB` naming what is wrong */
export function checkJob(job: unknown): asserts job is Job<unknown, unknown, unknown, unknown, unknown> {
  if (typeof job !== 'object' || job === null)
    throw new JobError('BAD_JOB', 'a job is an object with map and reduce: export default defineJob({ … })')
  const parts = job as Readonly<Record<string, unknown>>
  for (const name of FUNCTIONS) {
    const part = parts[name]
    if (part === undefined && !NEEDED.includes(name)) continue
    if (typeof part !== 'function')
      throw new JobError('BAD_JOB', `${name} of the job is ${part === undefined ? 'missing' : 'no function'}`)
  }
}

/** One attempt of a reduce task: a partition of every map output in, one part file out (MapReduce §3.1, steps 5 and 6). */
import { toError } from '@lab/rpc'
import { DataError } from '../data/errors.ts'
import { Groups } from '../data/groups.ts'
import { PartFile } from '../data/part-file.ts'
import { ReduceInput, type SegmentSource } from '../data/reduce-input.ts'
import { readIndex } from '../data/spill-format.ts'
import type { Kernel } from '../kernels/kernel.ts'
import { sumOf } from '../kernels/sum-runs.ts'
import type { AttemptResult, BadRecord, FetchFailure } from '../core/task.ts'
import type { Emit, Job } from '../job.ts'
import { partName } from '../manifest.ts'
import { blame, isPromise, preview } from './blame.ts'
import { Context } from './context.ts'
import type { TaskEnvironment } from './environment.ts'
import { FetchFailed } from './failure.ts'
import { Skipping } from './skipping.ts'
import { emitTo } from './sliced.ts'
import type { MapSource, ReduceWork } from './work.ts'

type AnyJob = Job<unknown, unknown, unknown, unknown, unknown>

/** How often a busy loop looks whether it is still wanted, in keys. */
const KEYS_BETWEEN_LOOKS = 256

/** @throws {TaskFailed} @throws {FetchFailed} when map outputs are missing or damaged */
export async function runReduce(
  job: AnyJob,
  work: ReduceWork,
  environment: TaskEnvironment,
): Promise<AttemptResult> {
  const attempt = new ReduceAttempt(job, work, environment)
  try {
    return await attempt.run()
  } catch (thrown) {
    attempt.discard()
    throw blame(corruptSource(thrown, work) ?? thrown, attempt.record, environment)
  }
}

class ReduceAttempt {
  readonly #job: AnyJob
  readonly #work: ReduceWork
  readonly #environment: TaskEnvironment
  readonly #context: Context
  readonly #skipping: Skipping
  #part: PartFile<unknown, unknown> | undefined
  #input: ReduceInput | undefined
  #keys = 0
  record: BadRecord | null = null

  constructor(job: AnyJob, work: ReduceWork, environment: TaskEnvironment) {
    this.#job = job
    this.#work = work
    this.#environment = environment
    this.#context = new Context(work.attempt, work.parameters, work.filesPath, environment)
    this.#skipping = new Skipping(work)
  }

  async run(): Promise<AttemptResult> {
    const { files } = this.#environment
    const sources = sourcesOf(this.#work, this.#environment)
    const total = sources.reduce((sum, { segment }) => sum + segment.records, 0)
    const { key, value, output } = this.#job
    const name = partName(this.#work.attempt.task)
    const part = new PartFile<unknown, unknown>(files.create(this.#work.filesPath + name), output)
    this.#part = part
    const { scratchPath: scratch, budgetBytes } = this.#work
    const input = new ReduceInput({ files, sources, scratch, budgetBytes })
    this.#input = input
    const emit = emitTo((outKey, outValue) => {
      part.write(outKey, outValue)
    })
    await this.#job.setup?.(this.#context)
    const reduce = this.#job.kernel?.reduce?.bind(this.#job.kernel) ?? sumOf(this.#job)
    // What skips keys must see them one by one.
    if (reduce !== undefined && !this.#skipping.isOn) this.#runKernel(reduce, input, part, total)
    else await this.#reduceAll(new Groups(input.run, { key, value }), total, emit)
    this.record = null
    await this.#job.teardown?.(this.#context)
    input.close()
    const { bytes, records, crc32 } = part.finish()
    return {
      counters: this.#context.counters,
      recordsIn: total,
      recordsOut: records,
      bytesIn: sources.reduce((sum, { segment }) => sum + segment.bytes, 0),
      bytesOut: bytes,
      partitionBytes: [],
      files: [{ name, bytes, records, crc: crc32 }, ...this.#context.finish()],
      skipped: this.#skipping.records,
    }
  }

  #runKernel(
    reduce: NonNullable<Kernel['reduce']>,
    input: ReduceInput,
    part: PartFile<unknown, unknown>,
    total: number,
  ): void {
    const { progress, signal } = this.#environment
    const onProgress = (pairs: number): void => {
      signal.throwIfAborted()
      progress.fraction = pairs / Math.max(total, 1)
    }
    reduce({
      get run() {
        return input.run
      },
      blocks: () => input.blocks(),
      part,
      onProgress,
    })
  }

  discard(): void {
    this.#input?.close()
    this.#part?.abandon()
    this.#context.abandon()
  }

  async #reduceAll(
    groups: Groups<unknown, unknown>,
    total: number,
    emit: Emit<unknown, unknown>,
  ): Promise<void> {
    const { progress, signal } = this.#environment
    for (let at = 0; groups.next(); at++) {
      this.#keys = at
      progress.enter(0, at)
      if (at % KEYS_BETWEEN_LOOKS === 0) {
        progress.fraction = groups.taken / Math.max(total, 1)
        signal.throwIfAborted()
      }
      if (this.#skipping.isListed('', at)) {
        this.#skipping.leaveOut({ file: '', offset: at, preview: preview(groups.key) })
        continue
      }
      const waiting = this.#reduce(groups, emit)
      if (waiting !== undefined) await waiting
    }
  }

  #reduce(groups: Groups<unknown, unknown>, emit: Emit<unknown, unknown>): Promise<void> | undefined {
    const { key, values } = groups
    if (this.#skipping.isOn) return this.#reduceOrSkip(key, values, emit)
    try {
      const returned = this.#job.reduce(key, values, emit, this.#context)
      return isPromise(returned) ? this.#wait(returned, key) : undefined
    } catch (thrown) {
      this.#note(key)
      throw thrown
    }
  }

  async #wait(returned: Promise<void>, key: unknown): Promise<void> {
    try {
      await returned
    } catch (thrown) {
      this.#note(key)
      throw thrown
    }
  }

  /** All that the key gives, or nothing. */
  async #reduceOrSkip(key: unknown, values: Iterable<unknown>, emit: Emit<unknown, unknown>): Promise<void> {
    const pairs: (readonly [unknown, unknown])[] = []
    const counters = this.#context.counters
    try {
      await this.#job.reduce(
        key,
        values,
        emitTo((outKey, outValue) => void pairs.push([outKey, outValue])),
        this.#context,
      )
    } catch (thrown) {
      this.#context.restore(counters)
      const record = this.#note(key)
      if (!this.#skipping.mayAdd) throw thrown
      this.#skipping.add(record)
      this.record = null
      return
    }
    for (const [outKey, outValue] of pairs) emit(outKey, outValue)
  }

  #note(key: unknown): BadRecord {
    this.record = { file: '', offset: this.#keys, preview: preview(key) }
    return this.record
  }
}

/** Every segment of this partition. @throws {FetchFailed} naming every map output that is not there or not whole */
function sourcesOf({ sources, attempt }: ReduceWork, environment: TaskEnvironment): SegmentSource[] {
  const found: SegmentSource[] = []
  const failures: FetchFailure[] = []
  for (const source of sources) {
    try {
      for (const segment of source.segments ?? indexed(environment.files, source, attempt.task))
        found.push(
          source.address === undefined ? { path: source.path, segment } : there(source, segment, environment),
        )
    } catch (thrown) {
      failures.push(failureOf(source, toError(thrown)))
    }
  }
  if (failures.length > 0) throw new FetchFailed(failures)
  return found
}

/** Each segment is read from its beginning on, beside the others of its file. */
function there(
  source: MapSource,
  segment: SegmentSource['segment'],
  environment: TaskEnvironment,
): SegmentSource {
  const path = pathThere(source, segment)
  const open = environment.openThere?.bind(environment)
  if (open === undefined) throw new Error(`${path} cannot be read from here`)
  return { path, segment, open: () => open(path, source, segment) }
}

function pathThere({ path }: MapSource, { offset }: SegmentSource['segment']): string {
  return `${path} from byte ${String(offset)}`
}

function indexed(
  files: TaskEnvironment['files'],
  { path }: MapSource,
  partition: number,
): SegmentSource['segment'][] {
  const file = files.open(path)
  try {
    return readIndex(file).flatMap((segments) => segments[partition] ?? [])
  } finally {
    file.close()
  }
}

/** Damage that was found while merging, as the failure of the map that it came from. */
function corruptSource(thrown: unknown, { sources }: ReduceWork): FetchFailed | null {
  if (!(thrown instanceof DataError) || thrown.code !== 'SPILL_CORRUPT') return null
  const source = sources.find(
    (one) =>
      one.path === thrown.path || one.segments?.some((segment) => pathThere(one, segment) === thrown.path),
  )
  return source === undefined ? null : new FetchFailed([failureOf(source, thrown)])
}

function failureOf({ map, attempt, worker }: MapSource, error: Error): FetchFailure {
  const corrupt = error instanceof DataError && error.code === 'SPILL_CORRUPT'
  return { map, attempt, worker, corrupt, why: error.message }
}

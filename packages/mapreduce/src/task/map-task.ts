/** One attempt of a map task: records in, one sorted and partitioned file out (MapReduce §3.1, steps 3 and 4). */
import { formatOfFile } from '../data/gzip-format.ts'
import { MapOutput, type MapOutputFile } from '../data/map-output.ts'
import { textLines } from '../data/line-formats.ts'
import type { AttemptResult, BadRecord } from '../core/task.ts'
import type { InputBytes, Split } from '../formats.ts'
import { sum } from '../kernels/sum.ts'
import type { Emit, Job } from '../job.ts'
import { blame, isPromise, preview } from './blame.ts'
import { Context } from './context.ts'
import type { TaskEnvironment } from './environment.ts'
import { Skipping } from './skipping.ts'
import { emitTo } from './sliced.ts'
import type { MapWork } from './work.ts'

const NOTHING: Pick<MapOutputFile, 'bytes' | 'records' | 'spills'> = { bytes: 0, records: 0, spills: [] }

type AnyJob = Job<unknown, unknown, unknown, unknown, unknown>

/** @throws {TaskFailed} */
export async function runMap(
  job: AnyJob,
  work: MapWork,
  environment: TaskEnvironment,
): Promise<AttemptResult> {
  const attempt = new MapAttempt(job, work, environment)
  try {
    return await attempt.run()
  } catch (thrown) {
    attempt.discard()
    throw blame(thrown, attempt.record, environment)
  }
}

class MapAttempt {
  readonly #job: AnyJob
  readonly #work: MapWork
  readonly #environment: TaskEnvironment
  readonly #context: Context
  #output: MapOutput<unknown, unknown> | undefined
  readonly #skipping: Skipping
  readonly #bytesTotal: number
  #isOver = false
  #bytesBefore = 0
  #recordsIn = 0
  /** What the user's function is at. */
  record: BadRecord | null = null

  constructor(job: AnyJob, work: MapWork, environment: TaskEnvironment) {
    this.#job = job
    this.#work = work
    this.#environment = environment
    this.#context = new Context(work.attempt, work.parameters, work.filesPath, environment)
    this.#skipping = new Skipping(work)
    this.#bytesTotal = work.splits.reduce((sum, { start, end }) => sum + end - start, 0)
  }

  /** Made when there is something to put into it: many a task finds nothing, and then leaves no file. */
  #out(): MapOutput<unknown, unknown> {
    if (this.#output !== undefined) return this.#output
    const job = this.#job
    const { plan, outputPath, reduces, budgetBytes } = this.#work
    this.#output = new MapOutput({
      files: this.#environment.files,
      path: outputPath,
      partitions: reduces,
      budgetBytes,
      // Where records are skipped, the plain map takes the kernel's place, and pairs must go to the same parts.
      partition: job.kernel?.partition?.(plan, reduces) ?? job.partition?.bind(job),
      // The engine knows this one when it sees it.
      combine: job.combine === sum ? sum : job.combine?.bind(job),
      ...{ key: job.key, value: job.value },
    })
    return this.#output
  }

  async run(): Promise<AttemptResult> {
    const emit: Emit<unknown, unknown> = (key, value, start, end) => {
      // Whoever emits when all is over is not to make a file anew.
      if (!this.#isOver) (this.#output ?? this.#out()).emit(key, value, start, end)
    }
    await this.#job.setup?.(this.#context)
    for (const [number, split] of this.#work.splits.entries()) await this.#read(number, split, emit)
    this.record = null
    await this.#job.teardown?.(this.#context)
    this.#isOver = true
    return this.#result(this.#output?.finish() ?? NOTHING)
  }

  discard(): void {
    this.#output?.discard()
    this.#context.abandon()
  }

  async #read(number: number, split: Split, emit: Emit<unknown, unknown>): Promise<void> {
    const input = await this.#environment.openInput(split)
    this.#context.inputFile = split.file
    const { kernel } = this.#job
    try {
      // What skips records must see them one by one.
      if (kernel !== undefined && !this.#skipping.isOn) await this.#runKernel(kernel, split, input.bytes)
      else await this.#mapRecords(number, split, input.bytes, emit)
    } finally {
      input.close()
    }
    this.#bytesBefore += split.end - split.start
  }

  #runKernel(kernel: NonNullable<AnyJob['kernel']>, split: Split, input: InputBytes): Promise<void> {
    const { progress, signal } = this.#environment
    const onProgress = (position: number): void => {
      signal.throwIfAborted()
      progress.fraction = (this.#bytesBefore + position - split.start) / Math.max(this.#bytesTotal, 1)
    }
    return kernel.map({ input, split, output: this.#out(), plan: this.#work.plan, onProgress })
  }

  async #mapRecords(
    number: number,
    split: Split,
    input: InputBytes,
    emit: Emit<unknown, unknown>,
  ): Promise<void> {
    const { progress } = this.#environment
    const format = formatOfFile(this.#job.input ?? textLines, split.file)
    for await (const batch of format.records(input, split.start, split.end)) {
      for (const { offset, record } of batch) {
        progress.enter(number, offset)
        if (this.#skipping.isListed(split.file, offset)) this.#skip(split.file, offset, record)
        else {
          const waiting = this.#map(split.file, offset, record, emit)
          if (waiting !== undefined) await waiting
        }
      }
      progress.fraction = (this.#bytesBefore + progress.offset - split.start) / Math.max(this.#bytesTotal, 1)
      this.#environment.signal.throwIfAborted()
    }
  }

  #map(
    file: string,
    offset: number,
    record: unknown,
    emit: Emit<unknown, unknown>,
  ): Promise<void> | undefined {
    this.#recordsIn++
    this.#context.offset = offset
    if (this.#skipping.isOn) return this.#mapOrSkip(file, offset, record, emit)
    try {
      const returned = this.#job.map(record, emit, this.#context)
      return isPromise(returned) ? this.#wait(returned, file, offset, record) : undefined
    } catch (thrown) {
      this.record = { file, offset, preview: preview(record) }
      throw thrown
    }
  }

  async #wait(returned: Promise<void>, file: string, offset: number, record: unknown): Promise<void> {
    try {
      await returned
    } catch (thrown) {
      this.record = { file, offset, preview: preview(record) }
      throw thrown
    }
  }

  /** All that the record gives, or nothing: so its pairs are kept back until it is through. */
  async #mapOrSkip(
    file: string,
    offset: number,
    record: unknown,
    emit: Emit<unknown, unknown>,
  ): Promise<void> {
    const pairs: (readonly [unknown, unknown])[] = []
    const counters = this.#context.counters
    try {
      const keep = emitTo((key, value) => void pairs.push([key, value]))
      await this.#job.map(record, keep, this.#context)
    } catch (thrown) {
      this.#context.restore(counters)
      this.record = { file, offset, preview: preview(record) }
      if (!this.#skipping.mayAdd) throw thrown
      this.#skipping.add(this.record)
      this.record = null
      return
    }
    for (const [key, value] of pairs) emit(key, value)
  }

  #skip(file: string, offset: number, record: unknown): void {
    this.#skipping.leaveOut({ file, offset, preview: preview(record) })
  }

  #result({ bytes, records, spills }: typeof NOTHING): AttemptResult {
    const partitionBytes = Array.from({ length: this.#work.reduces }, (_, partition) =>
      spills.reduce((sum, segments) => sum + (segments[partition]?.bytes ?? 0), 0),
    )
    return {
      counters: this.#context.counters,
      recordsIn: this.#recordsIn,
      recordsOut: records,
      bytesIn: this.#bytesTotal,
      bytesOut: bytes,
      partitionBytes,
      files: this.#context.finish(),
      skipped: this.#skipping.records,
    }
  }
}

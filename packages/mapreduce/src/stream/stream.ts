/**
 * A job's functions as the programs of a pipeline, in the protocol of Hadoop Streaming: lines in, lines out, counters on standard error.
 *
 *     input ──▶ map ──▶ key<TAB>value ──▶ sort ──▶ [combine] ──▶ sort ──▶ reduce ──▶ the job's output
 */
import { toError } from '@lab/rpc'
import { describeFailure } from '../coordinator/describe-failure.ts'
import type { BadRecord } from '../core/task.ts'
import { textLines } from '../data/line-formats.ts'
import { Groups } from '../data/groups.ts'
import { textKey } from '../data/keys.ts'
import { PartFile } from '../data/part-file.ts'
import { JobError } from '../errors.ts'
import type { KeyCodec, ValueCodec } from '../formats.ts'
import type { Job } from '../job.ts'
import { blame, isPromise, preview } from '../task/blame.ts'
import { TaskFailed } from '../task/failure.ts'
import { emitTo } from '../task/sliced.ts'
import { StreamContext, type StreamTask } from './context.ts'
import { ForwardInput } from './forward-input.ts'
import { jsonText } from './json-text.ts'
import { LineRun } from './line-run.ts'
import { LineWriter } from './line-writer.ts'
import { outputFile } from './output-file.ts'
import type { StreamPorts } from './ports.ts'

export type StreamRole = 'map' | 'combine' | 'reduce'

export interface StreamOptions extends StreamTask {
  /** What the job's counters stand under. */
  readonly name: string
  /** The user's own frames of an error's stack, one a line. */
  readonly userStack: (error: Error) => string
}

type AnyJob = Job<unknown, unknown, unknown, unknown, unknown>

/** @throws {JobError} `BAD_JOB`, `BAD_INPUT`, `TASK_FAILED` @throws {DataError} */
export async function runStream(
  role: StreamRole,
  job: AnyJob,
  ports: StreamPorts,
  options: StreamOptions,
): Promise<void> {
  if (role === 'combine') combine(job, ports)
  else await new StreamTaskRun(job, role, ports, options).run()
}

/** Of lines that need not be sorted: equal keys that stand together become one. */
function combine(job: AnyJob, ports: StreamPorts): void {
  if (job.combine === undefined)
    throw new JobError('BAD_JOB', 'the job has no combine: leave the combiner out')
  const writer = pairsOut(job, ports)
  const groups = new Groups(new LineRun(ports, false), codecsOf(job))
  while (groups.next()) {
    const { key } = groups
    let sum: unknown
    let isFirst = true
    for (const value of groups.values) {
      sum = isFirst ? value : job.combine(sum, value, key)
      isFirst = false
    }
    writer.write(key, sum)
  }
  writer.flush()
}

class StreamTaskRun {
  readonly #job: AnyJob
  readonly #role: 'map' | 'reduce'
  readonly #ports: StreamPorts
  readonly #options: StreamOptions
  readonly #context: StreamContext
  /** What the user's function is at, made only when it is to be told. */
  #at: (() => BadRecord) | null = null

  constructor(job: AnyJob, role: 'map' | 'reduce', ports: StreamPorts, options: StreamOptions) {
    this.#job = job
    this.#role = role
    this.#ports = ports
    this.#options = options
    this.#context = new StreamContext(role, ports, options)
  }

  async run(): Promise<void> {
    try {
      await this.#job.setup?.(this.#context)
      const finish = this.#role === 'map' ? await this.#map() : await this.#reduce()
      this.#at = null
      await this.#job.teardown?.(this.#context)
      finish()
      this.#context.tellCounters(this.#options.name)
    } catch (thrown) {
      throw this.#described(thrown)
    }
  }

  async #map(): Promise<() => void> {
    const context = this.#context
    const writer = pairsOut(this.#job, this.#ports)
    const emit = emitTo((key, value) => {
      writer.write(key, value)
    })
    const format = this.#job.input ?? textLines
    for await (const batch of format.records(new ForwardInput(this.#ports), 0, Infinity))
      for (const { offset, record } of batch) {
        context.offset = offset
        this.#at = () => ({ file: this.#inputName, offset, preview: preview(record) })
        const returned = this.#job.map(record, emit, context)
        if (isPromise(returned)) await returned
      }
    return () => {
      writer.flush()
    }
  }

  async #reduce(): Promise<() => void> {
    const run = new LineRun(this.#ports, this.#job.order !== 'none')
    const groups = new Groups(run, codecsOf(this.#job))
    const part = new PartFile(outputFile(this.#ports), this.#job.output)
    const emit = emitTo((key, value) => {
      part.write(key, value)
    })
    for (let number = 0; groups.next(); number++) {
      const { key } = groups
      this.#at = () => ({ file: '', offset: number, preview: preview(key) })
      const returned = this.#job.reduce(key, groups.values, emit, this.#context)
      if (isPromise(returned)) await returned
    }
    return () => {
      part.finish()
    }
  }

  get #inputName(): string {
    return this.#context.inputFile === '' ? 'standard input' : this.#context.inputFile
  }

  #described(thrown: unknown): Error {
    const error = toError(thrown)
    // Of the pipeline, not of the job: `| head` has seen enough, and an unsorted input says so itself.
    if (error instanceof JobError || ('syscall' in error && typeof error.syscall === 'string')) return error
    const failed = blame(error, this.#at?.() ?? null, this.#options)
    if (!(failed instanceof TaskFailed)) return failed
    const { task, attempt } = this.#context
    return describeFailure({
      attempt: { kind: this.#role, task, attempt, worker: 'a stream' },
      failure: failed.failure,
    })
  }
}

function codecsOf({ key, value }: AnyJob): { key: KeyCodec<unknown>; value: ValueCodec<unknown> } {
  return { key: key ?? textKey, value: value ?? jsonText }
}

function pairsOut(job: AnyJob, ports: StreamPorts): LineWriter<unknown, unknown> {
  const { key, value } = codecsOf(job)
  return new LineWriter(ports, key, value)
}

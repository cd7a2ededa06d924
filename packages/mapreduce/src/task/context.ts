/** The context that a job's functions get, and what they left in it. */
import type { Counter, SideFile, TaskContext } from '../context.ts'
import type { AttemptId, Counters, FileSummary } from '../core/task.ts'
import { JobError } from '../errors.ts'
import type { TaskEnvironment } from './environment.ts'
import { PartFile } from '../data/part-file.ts'

const NAME = /^[A-Za-z0-9][A-Za-z0-9.-]*(?:_[A-Za-z0-9.-]+)*$/
const encoder = new TextEncoder()

export class Context implements TaskContext {
  readonly kind: 'map' | 'reduce'
  readonly task: number
  readonly attempt: number
  readonly parameters: Readonly<Record<string, string>>
  readonly signal: AbortSignal
  inputFile = ''
  offset = 0
  readonly #counters = new Map<string, number>()
  readonly #sideFiles = new Map<string, PartFile<unknown, unknown>>()
  readonly #environment: TaskEnvironment
  readonly #filesPath: string

  constructor(
    { kind, task, attempt }: AttemptId,
    parameters: Readonly<Record<string, string>>,
    filesPath: string,
    environment: TaskEnvironment,
  ) {
    this.kind = kind
    this.task = task
    this.attempt = attempt
    this.parameters = parameters
    this.signal = environment.signal
    this.#filesPath = filesPath
    this.#environment = environment
  }

  counter(name: string): Counter {
    const counters = this.#counters
    return {
      add(amount = 1) {
        if (!Number.isSafeInteger(amount))
          throw new RangeError(`a counter takes integers, not ${String(amount)}`)
        counters.set(name, (counters.get(name) ?? 0) + amount)
      },
    }
  }

  status(text: string): void {
    this.#environment.onStatus(text)
  }

  sideFile(name: string): SideFile {
    if (!NAME.test(name) || /^part-\d+$/.test(name))
      throw new JobError(
        'BAD_OUTPUT',
        `${JSON.stringify(name)} is no name for a side file: letters, digits, . _ -`,
      )
    const full = `${name}-${String(this.task).padStart(5, '0')}`
    let file = this.#sideFiles.get(full)
    if (file === undefined) {
      file = new PartFile(this.#environment.files.create(this.#filesPath + full))
      this.#sideFiles.set(full, file)
    }
    const open = file
    return {
      write(data) {
        open.writeBytes(typeof data === 'string' ? encoder.encode(data) : data, 1)
      },
    }
  }

  get counters(): Counters {
    return Object.fromEntries(this.#counters)
  }

  /** Forgets what was counted since. */
  restore(counters: Counters): void {
    this.#counters.clear()
    for (const [name, value] of Object.entries(counters)) this.#counters.set(name, value)
  }

  /** Closes the side files. */
  finish(): FileSummary[] {
    return [...this.#sideFiles].map(([name, file]) => {
      const { bytes, records, crc32 } = file.finish()
      return { name, bytes, records, crc: crc32 }
    })
  }

  /** Closes the side files as they are, after a failure. */
  abandon(): void {
    for (const file of this.#sideFiles.values()) file.abandon()
  }
}

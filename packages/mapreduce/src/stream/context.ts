import type { Counter, SideFile, TaskContext } from '../context.ts'
import { JobError } from '../errors.ts'
import type { StreamPorts } from './ports.ts'

/** What the framework says of the task, in the words of {@link TaskContext}. */
export interface StreamTask {
  /** Default 0. */
  readonly task?: number
  /** Default 1. */
  readonly attempt?: number
  /** Default ''. */
  readonly inputFile?: string
  readonly parameters?: Readonly<Record<string, string>>
}

/** Tells counters and status as Hadoop Streaming wants them, in lines of standard error. */
export class StreamContext implements TaskContext {
  readonly kind: 'map' | 'reduce'
  readonly task: number
  readonly attempt: number
  readonly parameters: Readonly<Record<string, string>>
  readonly inputFile: string
  /** Of standard input. */
  offset = 0
  /** Whoever wants us no more kills the process. */
  readonly signal: AbortSignal = new AbortController().signal
  readonly #ports: StreamPorts
  readonly #counters = new Map<string, number>()

  constructor(kind: 'map' | 'reduce', ports: StreamPorts, options: StreamTask) {
    const { task = 0, attempt = 1, inputFile = '', parameters = {} } = options
    this.kind = kind
    this.task = task
    this.attempt = attempt
    this.inputFile = inputFile
    this.parameters = parameters
    this.#ports = ports
  }

  counter(name: string): Counter {
    return {
      add: (amount = 1) => {
        if (!Number.isSafeInteger(amount))
          throw new RangeError(`a counter takes integers, not ${String(amount)}`)
        this.#counters.set(name, (this.#counters.get(name) ?? 0) + amount)
      },
    }
  }

  status(text: string): void {
    this.#ports.tell(`reporter:status:${oneLine(text)}`)
  }

  sideFile(name: string): SideFile {
    throw new JobError('BAD_JOB', `a stream has no side files: the job writes ${JSON.stringify(name)}`)
  }

  /** Once, at the end: the framework counts what it is told. @param group what the counters stand under */
  tellCounters(group: string): void {
    for (const [name, sum] of [...this.#counters].sort(([a], [b]) => (a < b ? -1 : 1)))
      this.#ports.tell(`reporter:counter:${field(group)},${field(name)},${String(sum)}`)
  }
}

function oneLine(text: string): string {
  return text.replace(/[\r\n]+/g, ' ')
}

/** Commas separate the fields of the line. */
function field(text: string): string {
  return oneLine(text).replaceAll(',', ';')
}

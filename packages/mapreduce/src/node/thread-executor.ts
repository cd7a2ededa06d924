/** Makes attempts in threads of this process: one that hangs is ended, one that dies takes nobody along. */
import { JobError } from '../errors.ts'
import type { JobSpec } from '../protocol.ts'
import type { Work } from '../task/work.ts'
import type { Execution, Executor, ReadThere } from '../worker/executor.ts'
import { buildOf } from './build-of.ts'
import { TaskThreadHandle } from './task-thread-handle.ts'
import { GivenAttempt } from './given-attempt.ts'

export interface ThreadExecutorOptions {
  /** How many attempts are made at a time. Default 1. */
  readonly threads?: number | undefined
  /** Where the job's module is here, as a URL; default: where the coordinator has it. */
  readonly module?: string | undefined
  /** Flags of Node for the threads: none of V8's, which are a process's. Default: those of this process, V8's included. */
  readonly execArgv?: readonly string[] | undefined
  /** What the heap of a thread may grow to, in MB. Default 1 024. */
  readonly heapMb?: number | undefined
}

export class ThreadExecutor implements Executor {
  readonly queues = true
  readonly waits = true
  /** How many attempts are made at a time. */
  readonly threads: number
  readonly #options: ThreadExecutorOptions
  readonly #all = new Set<TaskThreadHandle>()
  #module = ''
  #hangMs = 0
  #isPrepared = false
  #isClosed = false

  constructor(options: ThreadExecutorOptions = {}) {
    this.#options = options
    this.threads = options.threads ?? 1
  }

  /** Starts threads that load a module which is going to be the job's, before anybody has said so. */
  warm(module: string): this {
    this.#module = module
    while (this.#all.size < this.threads) this.#spawn()
    return this
  }

  async prepare(job: JobSpec): Promise<void> {
    if (this.#isPrepared) return
    const module = this.#options.module ?? job.module
    const build = buildOf(module)
    if (build !== job.build)
      throw new JobError(
        'OTHER_BUILD',
        `${module} is another build here (${build.slice(0, 8)}) than at the coordinator (${job.build.slice(0, 8)}): copy the same files to every machine`,
      )
    this.#hangMs = job.hangMs
    this.#module = module
    if (this.#all.size === 0) this.#spawn()
    // One thread shows at once whether the module loads.
    const error = await Promise.race([...this.#all].map(({ ready }) => ready))
    if (error !== null) throw new JobError('BAD_JOB', error)
    this.#isPrepared = true
  }

  execute(work: Work, read: ReadThere): Execution {
    const attempt = new GivenAttempt(work, read, this.#hangMs)
    this.#place(attempt)
    return attempt
  }

  async close(): Promise<void> {
    this.#isClosed = true
    await Promise.all([...this.#all].map((thread) => thread.end('stopped')))
  }

  /** To the thread that has least to do. */
  #place(attempt: GivenAttempt): void {
    let best: TaskThreadHandle | undefined
    for (const thread of this.#all) if (best === undefined || thread.load < best.load) best = thread
    if (best === undefined || (best.load > 0 && this.#all.size < this.threads)) best = this.#spawn()
    best.give(attempt)
  }

  #spawn(): TaskThreadHandle {
    const { execArgv, heapMb = 1024 } = this.#options
    const thread = new TaskThreadHandle({ module: this.#module, execArgv, heapMb }, (left) => {
      this.#all.delete(thread)
      for (const attempt of left)
        if (this.#isClosed) attempt.crashed('stopped')
        else this.#place(attempt)
    })
    this.#all.add(thread)
    return thread
  }
}

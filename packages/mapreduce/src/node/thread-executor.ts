/** Makes attempts in threads of this process: one that hangs is ended, one that dies takes nobody along. */
import { Worker as Thread } from 'node:worker_threads'
import { toError } from '@lab/rpc'
import type { AttemptFailure, AttemptResult, BadRecord } from '../core/task.ts'
import { JobError } from '../errors.ts'
import type { JobSpec } from '../protocol.ts'
import { FetchFailed, TaskFailed } from '../task/failure.ts'
import { Progress } from '../task/progress.ts'
import type { Work } from '../task/work.ts'
import type { Execution, Executor } from '../worker/executor.ts'
import { buildOf } from './build-of.ts'
import { previewAt } from './local-input.ts'
import { ownFile } from './own-file.ts'
import type { FromThread, ThreadData, ToThread } from './thread-messages.ts'

export interface ThreadExecutorOptions {
  /** Where the job's module is here, as a URL; default: where the coordinator has it. */
  readonly module?: string | undefined
  /** Flags of Node for the threads: none of V8's, which are a process's. Default: those of this process, V8's included. */
  readonly execArgv?: readonly string[] | undefined
  /** What the heap of a thread may grow to, in MB. Default 1 024. */
  readonly heapMb?: number | undefined
}

type ReadInput = Parameters<Executor['execute']>[1]

const WATCH_MS = 250
/** How long a function may take to notice its signal before its thread is ended. */
const CANCEL_MS = 200

export class ThreadExecutor implements Executor {
  readonly #options: ThreadExecutorOptions
  readonly #idle: TaskThreadHandle[] = []
  readonly #all = new Set<TaskThreadHandle>()
  #module = ''
  #hangMs = 0
  #isPrepared = false

  constructor(options: ThreadExecutorOptions = {}) {
    this.#options = options
  }

  /** Starts threads that load a module which is going to be the job's, before anybody has said so. */
  warm(module: string, threads: number): this {
    this.#module = module
    while (this.#all.size < threads) this.#idle.push(this.#spawn())
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
    this.warm(module, 1)
    // One thread shows at once whether the module loads.
    const error = await this.#idle[0]?.ready
    if (error !== null) throw new JobError('BAD_JOB', error ?? 'its threads ended')
    this.#isPrepared = true
  }

  execute(work: Work, readInput: ReadInput): Execution {
    const thread = this.#idle.pop() ?? this.#spawn()
    return thread.execute({ work, readInput, hangMs: this.#hangMs }, () => {
      if (this.#all.has(thread)) this.#idle.push(thread)
    })
  }

  async close(): Promise<void> {
    await Promise.all([...this.#all].map((thread) => thread.end()))
  }

  #spawn(): TaskThreadHandle {
    const { execArgv, heapMb = 1024 } = this.#options
    const thread = new TaskThreadHandle({ module: this.#module, execArgv, heapMb }, () => {
      this.#all.delete(thread)
      const at = this.#idle.indexOf(thread)
      if (at !== -1) this.#idle.splice(at, 1)
    })
    this.#all.add(thread)
    return thread
  }
}

interface HandleOptions {
  readonly module: string
  readonly execArgv: readonly string[] | undefined
  readonly heapMb: number
}

interface Given {
  readonly work: Work
  readonly readInput: ReadInput
  /** See `JobSpec`. */
  readonly hangMs: number
}

/** What is being executed by a thread. */
interface Current extends Given {
  readonly resolve: (result: AttemptResult) => void
  readonly reject: (error: Error) => void
  status: string
}

class TaskThreadHandle {
  readonly #thread: Thread
  readonly #progress: Progress
  /** Null when the module is loaded; else why not. */
  readonly ready: Promise<string | null>
  #onReady: (error: string | null) => void = () => undefined
  #current: Current | undefined
  #death: string | undefined
  #isReady = false

  constructor({ module, execArgv, heapMb }: HandleOptions, onGone: () => void) {
    const progress = new SharedArrayBuffer(Progress.BYTES)
    const workerData: ThreadData = { module, progress }
    this.#progress = new Progress(progress)
    this.ready = new Promise((resolve) => {
      this.#onReady = resolve
    })
    this.#thread = new Thread(ownFile('node/task-thread'), {
      workerData,
      ...(execArgv === undefined ? {} : { execArgv: [...execArgv] }),
      resourceLimits: { maxOldGenerationSizeMb: heapMb },
    })
    this.#thread.on('message', (message: FromThread) => {
      this.#onMessage(message)
    })
    this.#thread.on('error', (error: Error) => {
      this.#death ??= error.message
    })
    this.#thread.on('exit', (code) => {
      onGone()
      this.#onReady(this.#death ?? `its thread ended with ${String(code)}`)
      this.#fail('crashed', this.#death ?? `the thread ended with exit code ${String(code)}`)
    })
  }

  execute(given: Given, onIdle: () => void): Execution {
    const { work, hangMs } = given
    let watching: NodeJS.Timeout | undefined
    const result = new Promise<AttemptResult>((resolve, reject) => {
      this.#current = { ...given, resolve, reject, status: '' }
      this.#progress.reset()
      watching = this.#watch(hangMs)
      this.#say({ type: 'work', work })
    }).finally(() => {
      clearInterval(watching)
      if (this.#death === undefined) onIdle()
    })
    return {
      result,
      progress: () => {
        const { fraction, records } = this.#progress
        return { fraction, records, status: this.#current?.work === work ? this.#current.status : '' }
      },
      cancel: () => {
        this.#cancel(work)
      },
    }
  }

  async end(): Promise<void> {
    this.#death ??= 'stopped'
    await this.#thread.terminate()
  }

  #say(message: ToThread): void {
    this.#thread.postMessage(message)
  }

  #cancel(work: Work): void {
    this.#say({ type: 'cancel' })
    setTimeout(() => {
      if (this.#current?.work === work) void this.end()
    }, CANCEL_MS).unref()
  }

  /** Ends the thread when no record is finished for too long. */
  #watch(hangMs: number): NodeJS.Timeout {
    let before = -1
    let since = performance.now()
    return setInterval(() => {
      // A thread that is still loading the job does not hang.
      // One that works on whole blocks counts no records, and gets on all the same.
      const done = this.#progress.records + this.#progress.fraction
      if (!this.#isReady || done !== before) {
        before = done
        since = performance.now()
      } else if (performance.now() - since > hangMs) {
        this.#fail('hung', `no record was finished for ${String(hangMs)} ms`)
        void this.end()
      }
    }, WATCH_MS).unref()
  }

  #onMessage(message: FromThread): void {
    switch (message.type) {
      case 'ready':
        this.#isReady = true
        this.#onReady(message.error)
        if (message.error !== null) this.#fail('machine', message.error)
        break
      case 'done':
        this.#take()?.resolve(message.result)
        break
      case 'failed':
        this.#take()?.reject(new TaskFailed(message.failure))
        break
      case 'unfetched':
        this.#take()?.reject(new FetchFailed(message.failures))
        break
      case 'status':
        if (this.#current !== undefined) this.#current.status = message.text
        break
      case 'read':
        void this.#read(message)
        break
    }
  }

  #take(): Current | undefined {
    const current = this.#current
    this.#current = undefined
    return current
  }

  #fail(reason: AttemptFailure['reason'], message: string): void {
    const current = this.#take()
    if (current === undefined) return
    const record = reason === 'machine' ? null : this.#whereItWas(current.work)
    current.reject(new TaskFailed({ reason, message, stack: '', record }))
  }

  #whereItWas(work: Work): BadRecord | null {
    const { offset, split } = this.#progress
    if (offset < 0) return null
    if (work.kind === 'reduce') return { file: '', offset, preview: '' }
    const file = work.splits[split]?.file ?? ''
    return { file, offset, preview: previewAt(file, offset) }
  }

  async #read({ read, file, position, length }: Extract<FromThread, { type: 'read' }>): Promise<void> {
    const current = this.#current
    if (current === undefined) return
    try {
      const bytes = await current.readInput(file, position, length)
      this.#say({ type: 'bytes', read, bytes, error: '' })
    } catch (thrown) {
      this.#say({ type: 'bytes', read, bytes: null, error: toError(thrown).message })
    }
  }
}

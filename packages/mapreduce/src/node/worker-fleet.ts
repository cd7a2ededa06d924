/** The worker processes of a run on this machine. */
import { spawn, type ChildProcess } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { JobError } from '../errors.ts'
import { ownFile } from './own-file.ts'
import type { EarlyOptions } from './worker-main.ts'
import type { WorkerProcessOptions } from './worker-process.ts'

export interface FleetOptions {
  readonly execArgv?: readonly string[] | undefined
  readonly heapMb?: number | undefined
  /** Told of each that has ended, however. */
  readonly onExit?: (pid: number) => void
}

/** Children of a coordinator that was killed are not to stay for long. */
const PATIENCE_MS = 5_000
/** When the job is over, workers have nothing to lose; one that is slow is not waited for. */
const FAREWELL_MS = 100
/** A worker that was killed is replaced; when they keep dying, something else is wrong. */
const REPLACEMENTS_EACH = 10

/** Started before there is a coordinator to join: a process and its thread take as long to start as a job takes to be planned. */
export class WorkerFleet {
  /** Rejects when all are gone and no more are started. */
  readonly failed: Promise<never>
  readonly #children = new Set<ChildProcess>()
  readonly #start: () => ChildProcess
  readonly #onExit: ((pid: number) => void) | undefined
  /** What they are told on standard input: the rest of their options. */
  #told: string | undefined
  #replacements: number
  #isStopping = false
  #lastWords = ''
  #fail: (error: Error) => void = () => undefined
  #onGone: () => void = () => undefined

  /** @param module of the job, as a URL */
  constructor(count: number, module: string, options: FleetOptions) {
    const { execArgv = process.execArgv, heapMb, onExit } = options
    this.#onExit = onExit
    const given: EarlyOptions = { module, workers: count, ...(heapMb === undefined ? {} : { heapMb }) }
    const env = { ...process.env, LAB_MR_WORKER: JSON.stringify(given) }
    const program = fileURLToPath(ownFile('node/worker-main'))
    this.#start = () =>
      spawn(process.execPath, [...execArgv, program], {
        env,
        stdio: ['pipe', 'ignore', 'pipe'],
      })
    this.#replacements = REPLACEMENTS_EACH * count
    this.failed = new Promise((_, reject) => {
      this.#fail = reject
    })
    this.failed.catch(() => undefined)
    for (let i = 0; i < count; i++) this.#add()
  }

  /** Sends all to the coordinator, also those that are started later. */
  join(worker: Pick<WorkerProcessOptions, 'join' | 'secret' | 'folder' | 'streams'>): void {
    const options: WorkerProcessOptions = { ...worker, patienceMs: PATIENCE_MS }
    this.#told = JSON.stringify(options)
    for (const child of this.#children) child.stdin?.end(this.#told)
  }

  /** Process ids of those that live. */
  get pids(): readonly number[] {
    return [...this.#children].flatMap(({ pid }) => pid ?? [])
  }

  /** Resolves when all have gone by themselves, as they do when the job is over. */
  async gone(): Promise<void> {
    this.#isStopping = true
    if (this.#children.size === 0) return
    const timer = setTimeout(() => {
      for (const child of this.#children) child.kill('SIGKILL')
    }, FAREWELL_MS)
    await new Promise<void>((resolve) => {
      this.#onGone = resolve
    })
    clearTimeout(timer)
  }

  async stop(): Promise<void> {
    this.#isStopping = true
    for (const child of this.#children) child.kill('SIGKILL')
    await this.gone()
  }

  #add(): void {
    const child = this.#start()
    this.#children.add(child)
    // One that has died does not listen; its exit says more.
    child.stdin?.on('error', () => undefined)
    if (this.#told !== undefined) child.stdin?.end(this.#told)
    child.stderr?.on('data', (text: Buffer) => {
      this.#lastWords = text.toString().trim()
    })
    child.on('exit', (code) => {
      this.#children.delete(child)
      if (child.pid !== undefined) this.#onExit?.(child.pid)
      // Killed, or out of memory: another takes its place. One that says no by itself would say it again.
      if (!this.#isStopping && code !== 0 && code !== 1 && this.#replacements-- > 0) this.#add()
      if (this.#children.size > 0) return
      this.#onGone()
      if (!this.#isStopping)
        this.#fail(new JobError('TASK_FAILED', this.#lastWords || 'all workers are gone'))
    })
  }
}

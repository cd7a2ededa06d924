/** One attempt on this worker, from its assignment to the report of its end. */
import { sleep, toError, type Milliseconds } from '@lab/rpc'
import { attemptName, type AttemptId, type AttemptProgress, type AttemptResult } from '../core/task.ts'
import type { Assignment, RegisterReply } from '../protocol.ts'
import { FetchFailed, TaskFailed } from '../task/failure.ts'
import type { Work } from '../task/work.ts'
import type { Execution } from './executor.ts'
import { folderOf } from './shared-folders.ts'
import { upload } from './uploads.ts'
import type { Worker } from './worker.ts'

const WAITS_MAX = 10
const WAIT_MS = 200
/** Who reads may be slow, and not dead. */
const READ_MS = 30_000
const UNKNOWN = { fraction: 0, records: 0, status: '' }

export class RunningTask {
  readonly attempt: AttemptId
  readonly #worker: Worker
  readonly #assignment: Assignment
  readonly #session: RegisterReply
  #execution: Execution | undefined
  #isBegun = false
  /** Once it was made. */
  elapsedMs: Milliseconds | undefined
  #isCancelled = false
  #copies: string[] = []
  /** Resolves when nobody wants its result any more, whatever it is still waiting for. */
  readonly cancelled: Promise<void>
  #onCancel: () => void = () => undefined

  constructor(worker: Worker, assignment: Assignment, session: RegisterReply) {
    this.#worker = worker
    this.#assignment = assignment
    this.#session = session
    this.attempt = assignment.attempt
    this.cancelled = new Promise((resolve) => {
      this.#onCancel = resolve
    })
  }

  progress(): AttemptProgress {
    const { fraction, records, status } = this.#execution?.progress() ?? UNKNOWN
    return { ...this.attempt, fraction, records, status }
  }

  /** Nobody wants its result any more. */
  cancel(): void {
    this.#isCancelled = true
    this.#onCancel()
    this.#execution?.cancel()
  }

  /** Else it waits for a slot. */
  get isBegun(): boolean {
    return this.#isBegun && this.#execution?.progress().isWaiting !== true
  }

  get isCancelled(): boolean {
    return this.#isCancelled
  }

  /** Never throws: how it ended is in the worker's reports, unless it was cancelled. */
  async run(): Promise<void> {
    this.#isBegun = true
    const begun = this.#worker.clock.now()
    try {
      const result = await this.#attempt()
      const elapsedMs = this.#execution?.progress().elapsedMs ?? this.#worker.clock.now() - begun
      this.elapsedMs = elapsedMs
      if (!this.#isCancelled) this.#done(result, elapsedMs)
    } catch (thrown) {
      if (!this.#isCancelled) this.#failed(toError(thrown))
    } finally {
      for (const copy of this.#copies) this.#worker.options.files.remove(copy)
    }
  }

  async #attempt(): Promise<AttemptResult> {
    const { client, options, shuffle } = this.#worker
    const work = await this.#work()
    if (this.#isCancelled) throw new Error('cancelled')
    this.#execution = options.executor.execute(work, {
      input: (file, position, length) => client.input({ file, position, length }, { timeout: READ_MS }),
      output: (source, position, length) => shuffle.read(source, { position, length }, READ_MS),
    })
    const result = await this.#execution.result
    if (!this.#isShared && !this.#isCancelled)
      await upload(client, options.files, this.attempt, work.filesPath, result.files)
    return result
  }

  get #isShared(): boolean {
    return this.#worker.shared.has(this.#session.attempts)
  }

  async #work(): Promise<Work> {
    const { attempt } = this
    const { folder } = this.#worker.options
    const { parameters, reduces, plan, budgetBytes, seed } = this.#session.job
    const { skip, skipMax, splits } = this.#assignment
    const name = attemptName(attempt)
    const filesPath = `${this.#isShared ? folderOf(this.#session.attempts) : folder}/${name}.`
    const common = { attempt, parameters, reduces, plan, budgetBytes, seed, skip, skipMax, filesPath }
    if (attempt.kind === 'map') return { kind: 'map', ...common, splits, outputPath: `${folder}/${name}` }
    return {
      kind: 'reduce',
      ...common,
      sources: await this.#sources(),
      scratchPath: `${folder}/${name}.merge`,
    }
  }

  async #sources(): ReturnType<Worker['shuffle']['sources']> {
    const { client, options, shuffle, table } = this.#worker
    await table.update(client, this.#assignment.outputs)
    // After a restart of the coordinator a worker may not have come back to it yet: not worth another attempt.
    for (
      let wait = 0;
      wait < WAITS_MAX && !table.isComplete(this.#session.maps) && !this.#isCancelled;
      wait++
    ) {
      await sleep(this.#worker.clock, WAIT_MS)
      await table.update(client, Infinity)
    }
    const copies = `${options.folder}/${attemptName(this.attempt)}.from-map-`
    const sources = await shuffle.sources(table, this.#session.maps, this.attempt.task, copies)
    this.#copies = sources.flatMap(({ path, segments, address }) =>
      segments === null || address !== undefined ? [] : [path],
    )
    return sources
  }

  #done(result: AttemptResult, elapsedMs: Milliseconds): void {
    const { attempt } = this
    if (attempt.kind === 'map') this.#worker.held.set(attempt.task, { ...attempt, result })
    this.#worker.reports.done({ ...attempt, result, elapsedMs })
  }

  #failed(error: Error): void {
    const { reports } = this.#worker
    if (error instanceof FetchFailed) reports.unfetched(this.attempt, error.failures)
    else if (error instanceof TaskFailed) reports.failed(this.attempt, error.failure)
    else {
      const failure = { reason: 'machine', message: error.message, stack: '', record: null } as const
      reports.failed(this.attempt, failure)
    }
  }
}

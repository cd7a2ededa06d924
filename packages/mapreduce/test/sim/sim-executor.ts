/** Makes attempts in virtual time: the real code of tasks, on files in memory, as slow, as unlucky and as dead as the seed wants. */
import { sleep, type Clock, type Random } from '@lab/rpc'
import type { MemoryFiles } from '../../src/data/memory-files.ts'
import type { Split } from '../../src/formats.ts'
import type { OpenInput } from '../../src/task/environment.ts'
import { TaskFailed } from '../../src/task/failure.ts'
import { runMap } from '../../src/task/map-task.ts'
import { Progress } from '../../src/task/progress.ts'
import { runReduce } from '../../src/task/reduce-task.ts'
import type { Work } from '../../src/task/work.ts'
import type { Execution, Executor, ReadThere } from '../../src/worker/executor.ts'
import type { AttemptResult } from '../../src/core/task.ts'
import type { SimJob } from './sim-job.ts'

/** What befalls attempts; each a chance from 0 to 1. */
export interface Luck {
  /** Virtual milliseconds that an attempt takes. */
  readonly takesMs: (work: Work) => number
  readonly fails: number
  readonly hangs: number
}

export interface SimExecutorOptions {
  readonly job: SimJob
  readonly clock: Clock
  readonly random: Random
  readonly files: MemoryFiles
  readonly luck: Luck
  /** Told when an attempt begins and, as long as its process lives, when it ends. */
  readonly onAttempt?: ((work: Work, what: 'begin' | 'end') => void) | undefined
}

export class SimExecutor implements Executor {
  readonly #options: SimExecutorOptions

  constructor(options: SimExecutorOptions) {
    this.#options = options
  }

  prepare(): Promise<void> {
    return Promise.resolve()
  }

  close(): Promise<void> {
    return Promise.resolve()
  }

  execute(work: Work, read: ReadThere): Execution {
    const abort = new AbortController()
    const progress = new Progress()
    progress.reset()
    const { onAttempt } = this.#options
    onAttempt?.(work, 'begin')
    const result = this.#attempt(work, read, abort.signal, progress).finally(() => onAttempt?.(work, 'end'))
    result.catch(() => undefined)
    return {
      result,
      progress: () => ({ fraction: progress.fraction, records: progress.records, status: '' }),
      cancel: () => {
        abort.abort(new Error('cancelled'))
      },
    }
  }

  async #attempt(
    work: Work,
    read: ReadThere,
    signal: AbortSignal,
    progress: Progress,
  ): Promise<AttemptResult> {
    const { clock, random, luck, files, job } = this.#options
    const failure = { stack: '', record: null }
    await sleep(clock, luck.takesMs(work), signal)
    if (random.next() < luck.fails)
      throw new TaskFailed({ reason: 'machine', message: 'out of luck', ...failure })
    if (random.next() < luck.hangs) {
      await sleep(clock, 20_000, signal)
      throw new TaskFailed({ reason: 'hung', message: 'no record was finished', ...failure })
    }
    const environment = {
      files,
      openInput: (split: Split): Promise<OpenInput> =>
        Promise.resolve({
          bytes: {
            size: split.fileBytes,
            read: (position, length) => read.input(split.file, position, length),
          },
          close: () => undefined,
        }),
      signal,
      progress,
      onStatus: () => undefined,
      userStack: () => '',
    }
    return work.kind === 'map' ? runMap(job.job, work, environment) : runReduce(job.job, work, environment)
  }
}

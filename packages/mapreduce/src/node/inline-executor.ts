/** Makes attempts in this thread, one at a time: for `mode: 'local'`, where a debugger is to see everything. */
import { systemFiles } from '../data/system-files.ts'
import type { Split } from '../formats.ts'
import type { JobSpec } from '../protocol.ts'
import { runMap } from '../task/map-task.ts'
import { Progress } from '../task/progress.ts'
import { runReduce } from '../task/reduce-task.ts'
import type { Work } from '../task/work.ts'
import type { Execution, Executor, ReadThere } from '../worker/executor.ts'
import type { AnyJob } from './load-job.ts'
import { LocalInput, openThere } from './local-input.ts'
import { userStack } from './user-stack.ts'

export class InlineExecutor implements Executor {
  readonly #job: AnyJob
  readonly #input = new LocalInput()

  constructor(job: AnyJob) {
    this.#job = job
  }

  prepare(_job: JobSpec): Promise<void> {
    return Promise.resolve()
  }

  execute(work: Work, read: ReadThere): Execution {
    const progress = new Progress()
    progress.reset()
    const abort = new AbortController()
    let status = ''
    const environment = {
      files: systemFiles,
      openInput: (split: Split) => Promise.resolve(this.#input.open(split) ?? openThere(split, read.input)),
      signal: abort.signal,
      progress,
      onStatus: (text: string) => {
        status = text
      },
      userStack,
    }
    const result =
      work.kind === 'map' ? runMap(this.#job, work, environment) : runReduce(this.#job, work, environment)
    return {
      result,
      progress: () => ({ fraction: progress.fraction, records: progress.records, status }),
      cancel: () => {
        abort.abort(new Error('nobody wants this attempt any more'))
      },
    }
  }

  close(): Promise<void> {
    this.#input.close()
    return Promise.resolve()
  }
}

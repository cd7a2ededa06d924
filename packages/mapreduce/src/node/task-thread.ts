/** The program of a task thread: loads the job once, then makes one attempt after another. */
import { parentPort, workerData } from 'node:worker_threads'
import { toError } from '@lab/rpc'
import { systemFiles } from '../data/system-files.ts'
import type { Split } from '../formats.ts'
import type { OpenInput } from '../task/environment.ts'
import { FetchFailed, TaskFailed } from '../task/failure.ts'
import { runMap } from '../task/map-task.ts'
import { Progress } from '../task/progress.ts'
import { runReduce } from '../task/reduce-task.ts'
import type { Work } from '../task/work.ts'
import { loadJob, type AnyJob } from './load-job.ts'
import { openHere, openThere } from './local-input.ts'
import type { FromThread, ThreadData, ToThread } from './thread-messages.ts'
import { userStack } from './user-stack.ts'

interface PendingRead {
  readonly resolve: (bytes: Uint8Array) => void
  readonly reject: (error: Error) => void
}

class TaskThread {
  readonly #port: NonNullable<typeof parentPort>
  readonly #progress: Progress
  readonly #reads = new Map<number, PendingRead>()
  #nextRead = 0
  #abort = new AbortController()

  constructor(port: NonNullable<typeof parentPort>, progress: SharedArrayBuffer) {
    this.#port = port
    this.#progress = new Progress(progress)
  }

  async start(module: string): Promise<void> {
    try {
      const job = await loadJob(module)
      this.#port.on('message', (message: ToThread) => {
        this.#onMessage(job, message)
      })
      this.#say({ type: 'ready', error: null })
    } catch (thrown) {
      this.#say({ type: 'ready', error: toError(thrown).message })
    }
  }

  #say(message: FromThread): void {
    this.#port.postMessage(message)
  }

  #onMessage(job: AnyJob, message: ToThread): void {
    switch (message.type) {
      case 'work':
        void this.#execute(job, message.work)
        break
      case 'cancel':
        this.#abort.abort(new Error('nobody wants this attempt any more'))
        break
      case 'bytes': {
        const pending = this.#reads.get(message.read)
        this.#reads.delete(message.read)
        if (message.bytes !== null) pending?.resolve(message.bytes)
        else pending?.reject(new Error(message.error))
        break
      }
    }
  }

  async #execute(job: AnyJob, work: Work): Promise<void> {
    this.#abort = new AbortController()
    this.#progress.reset()
    const environment = {
      files: systemFiles,
      openInput: (split: Split) => Promise.resolve(this.#open(split)),
      signal: this.#abort.signal,
      progress: this.#progress,
      onStatus: (text: string) => {
        this.#say({ type: 'status', text })
      },
      userStack,
    }
    try {
      const result =
        work.kind === 'map' ? await runMap(job, work, environment) : await runReduce(job, work, environment)
      this.#say({ type: 'done', result })
    } catch (thrown) {
      if (thrown instanceof FetchFailed) this.#say({ type: 'unfetched', failures: thrown.failures })
      else if (thrown instanceof TaskFailed) this.#say({ type: 'failed', failure: thrown.failure })
      else throw thrown
    }
  }

  #open(split: Split): OpenInput {
    return openHere(split) ?? openThere(split, (file, position, length) => this.#read(file, position, length))
  }

  #read(file: string, position: number, length: number): Promise<Uint8Array> {
    const read = this.#nextRead++
    return new Promise((resolve, reject) => {
      this.#reads.set(read, { resolve, reject })
      this.#say({ type: 'read', read, file, position, length })
    })
  }
}

if (parentPort !== null) {
  const { module, progress } = workerData as ThreadData
  void new TaskThread(parentPort, progress).start(module)
}

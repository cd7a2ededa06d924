/** The program of a task thread: loads the job once, then makes one attempt after another. */
import { parentPort, workerData } from 'node:worker_threads'
import { systemClock, toError } from '@lab/rpc'
import type { TaskFile } from '../data/files.ts'
import type { Segment } from '../data/spill-format.ts'
import { systemFiles } from '../data/system-files.ts'
import type { Split } from '../formats.ts'
import type { OpenInput } from '../task/environment.ts'
import { FetchFailed, TaskFailed } from '../task/failure.ts'
import { runMap } from '../task/map-task.ts'
import { Progress } from '../task/progress.ts'
import { runReduce } from '../task/reduce-task.ts'
import type { MapSource } from '../task/work.ts'
import { FetchedFile } from './fetched-file.ts'
import { loadJob, type AnyJob } from './load-job.ts'
import { LocalInput, openThere } from './local-input.ts'
import {
  fromJson,
  toJson,
  type EndedWork,
  type FromThread,
  type NumberedWork,
  type ThreadData,
  type ToThread,
} from './thread-messages.ts'
import { userStack } from './user-stack.ts'

interface PendingRead {
  readonly resolve: (bytes: Uint8Array) => void
  readonly reject: (error: Error) => void
}

/** Ends are told together, but none is kept back for longer while others are made. */
const TELL_MS = 4

class TaskThread {
  readonly #port: NonNullable<typeof parentPort>
  readonly #progress: Progress
  readonly #reads = new Map<number, PendingRead>()
  readonly #input = new LocalInput()
  readonly #queue: NumberedWork[] = []
  readonly #cancelled = new Set<number>()
  #ended: EndedWork[] = []
  #toldAt = 0
  #nextRead = 0
  /** Of the attempt that is being made; 0 for none. */
  #number = 0
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
      case 'work': {
        const isBusy = this.#number !== 0 || this.#queue.length > 0
        this.#queue.push(...fromJson(message.works))
        if (!isBusy) void this.#makeAll(job)
        break
      }
      case 'cancel':
        if (message.number === this.#number)
          this.#abort.abort(new Error('nobody wants this attempt any more'))
        else this.#cancelled.add(message.number)
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

  async #makeAll(job: AnyJob): Promise<void> {
    this.#toldAt = systemClock.now()
    for (let next = this.#queue[0]; next !== undefined; next = this.#queue[0]) {
      const begun = systemClock.now()
      const end = await this.#make(job, next)
      const now = systemClock.now()
      this.#ended.push({ number: next.number, elapsedMs: now - begun, end })
      this.#queue.shift()
      if (this.#queue.length > 0 && now - this.#toldAt < TELL_MS) continue
      this.#say({ type: 'ended', works: toJson(this.#ended) })
      this.#ended = []
      this.#toldAt = now
      // For what was said to us meanwhile.
      if (this.#queue.length > 0) await new Promise((resolve) => setImmediate(resolve))
    }
  }

  async #make(job: AnyJob, { number, work }: NumberedWork): Promise<EndedWork['end']> {
    if (this.#cancelled.delete(number)) return { type: 'cancelled' }
    this.#number = number
    this.#abort = new AbortController()
    this.#progress.reset(number)
    const environment = {
      files: systemFiles,
      openInput: (split: Split) => Promise.resolve(this.#open(split)),
      openThere: (name: string, source: MapSource, segment: Segment) => {
        const at = work.kind === 'reduce' ? work.sources.indexOf(source) : -1
        return this.#openThere(name, at, source, segment)
      },
      signal: this.#abort.signal,
      progress: this.#progress,
      onStatus: (text: string) => {
        this.#say({ type: 'status', number, text })
      },
      userStack,
    }
    try {
      const result =
        work.kind === 'map' ? await runMap(job, work, environment) : await runReduce(job, work, environment)
      return { type: 'done', result }
    } catch (thrown) {
      if (thrown instanceof FetchFailed) return { type: 'unfetched', failures: thrown.failures }
      if (thrown instanceof TaskFailed) return { type: 'failed', failure: thrown.failure }
      throw thrown
    } finally {
      this.#number = 0
      this.#progress.end()
    }
  }

  #open(split: Split): OpenInput {
    return (
      this.#input.open(split) ??
      openThere(split, (file, position, length) => this.#read(file, position, length))
    )
  }

  #openThere(name: string, source: number, { map, attempt, worker }: MapSource, segment: Segment): TaskFile {
    const number = this.#number
    return new FetchedFile(name, segment, {
      ask: (position, length, { memory: into }) => {
        this.#say({ type: 'fetch', number, source, position, length, into })
      },
      failure: (why) => new FetchFailed([{ map, attempt, worker, corrupt: false, why }]),
    })
  }

  #read(file: string, position: number, length: number): Promise<Uint8Array> {
    const read = this.#nextRead++
    return new Promise((resolve, reject) => {
      this.#reads.set(read, { resolve, reject })
      this.#say({ type: 'read', number: this.#number, read, file, position, length })
    })
  }
}

if (parentPort !== null) {
  const { module, progress } = workerData as ThreadData
  void new TaskThread(parentPort, progress).start(module)
}

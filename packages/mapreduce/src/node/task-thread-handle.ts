/** A task thread as its process sees it: what it was given, where it is, and whose fault it is when it ends. */
import { Worker as Thread } from 'node:worker_threads'
import { systemClock, toError, type Timer } from '@lab/rpc'
import type { BadRecord } from '../core/task.ts'
import { Progress } from '../task/progress.ts'
import type { Work } from '../task/work.ts'
import type { ExecutionProgress } from '../worker/executor.ts'
import type { GivenAttempt, Maker } from './given-attempt.ts'
import { previewAt } from './local-input.ts'
import { ownFile } from './own-file.ts'
import { Window } from './window.ts'
import {
  fromJson,
  toJson,
  type EndedWork,
  type FromThread,
  type NumberedWork,
  type ThreadData,
  type ToThread,
} from './thread-messages.ts'

/** For what dies young: left to itself it grows to 48 MB, which makes nothing faster. */
const YOUNG_MB = 12
const WATCH_MS = 250
/** How long a function may take to notice its signal before its thread is ended. */
const CANCEL_MS = 200

type Message<Type extends FromThread['type']> = Extract<FromThread, { type: Type }>

interface HandleOptions {
  readonly module: string
  readonly execArgv: readonly string[] | undefined
  readonly heapMb: number
}

export class TaskThreadHandle implements Maker {
  readonly #thread: Thread
  readonly #progress: Progress
  /** Null when the module is loaded; else why not. */
  readonly ready: Promise<string | null>
  readonly #onGone: (left: readonly GivenAttempt[]) => void
  /** By number, in the order in which they are made: all whose end was not told. */
  readonly #given = new Map<number, GivenAttempt>()
  #unsent: NumberedWork[] = []
  #next = 1
  #onReady: (error: string | null) => void = () => undefined
  #watching: Timer | undefined
  #death: string | undefined
  #isReady = false
  /** Map outputs of others that it waits for, or soon will. */
  #fetching = 0
  #isGone = false

  /** @param onGone told once, with attempts that it did not come to */
  constructor({ module, execArgv, heapMb }: HandleOptions, onGone: (left: readonly GivenAttempt[]) => void) {
    const progress = new SharedArrayBuffer(Progress.BYTES)
    const workerData: ThreadData = { module, progress }
    this.#progress = new Progress(progress)
    this.#onGone = onGone
    this.ready = new Promise((resolve) => {
      this.#onReady = resolve
    })
    this.#thread = new Thread(ownFile('node/task-thread'), {
      workerData,
      ...(execArgv === undefined ? {} : { execArgv: [...execArgv] }),
      resourceLimits: { maxOldGenerationSizeMb: heapMb, maxYoungGenerationSizeMb: YOUNG_MB },
    })
    this.#thread.on('message', (message: FromThread) => {
      this.#onMessage(message)
    })
    this.#thread.on('error', (error: Error) => {
      this.#death ??= error.message
    })
    this.#thread.on('exit', (code) => {
      this.#onReady(this.#death ?? `its thread ended with ${String(code)}`)
      this.#lose('crashed', this.#death ?? `the thread ended with exit code ${String(code)}`)
    })
  }

  /** How many attempts it has been given and not told the end of. */
  get load(): number {
    return this.#given.size
  }

  give(attempt: GivenAttempt): void {
    const number = this.#next++
    attempt.maker = this
    this.#given.set(number, attempt)
    if (this.#watching === undefined) this.#watch(attempt.hangMs)
    if (this.#unsent.length === 0) queueMicrotask(() => this.#send())
    this.#unsent.push({ number, work: attempt.work })
  }

  progressOf(attempt: GivenAttempt): Pick<ExecutionProgress, 'fraction' | 'records'> | null {
    const { attempt: number, fraction, records } = this.#progress
    return this.#given.get(number) === attempt ? { fraction, records } : null
  }

  /** Ends it soon, whatever it does: the thread with it, when it does not listen. */
  cancel(attempt: GivenAttempt): void {
    const number = this.#numberOf(attempt)
    if (number === undefined) return
    this.#send()
    this.#say({ type: 'cancel', number })
    const look = (): void => {
      if (this.#given.get(number) !== attempt) return
      if (this.#progress.attempt === number) void this.end('cancelled')
      else systemClock.setTimer(CANCEL_MS, look)
    }
    systemClock.setTimer(CANCEL_MS, look)
  }

  async end(why: string): Promise<void> {
    this.#death ??= why
    await this.#thread.terminate()
  }

  #send(): void {
    const works = this.#unsent
    this.#unsent = []
    if (works.length > 0) this.#say({ type: 'work', works: toJson(works) })
  }

  #say(message: ToThread): void {
    this.#thread.postMessage(message)
  }

  #numberOf(attempt: GivenAttempt): number | undefined {
    for (const [number, one] of this.#given) if (one === attempt) return number
    return undefined
  }

  /** Ends the thread when no record is finished for too long. */
  #watch(hangMs: number): void {
    let before = -1
    let attemptBefore = 0
    let since = systemClock.now()
    const look = (): void => {
      this.#watching = systemClock.setTimer(WATCH_MS, look)
      const { attempt, records, fraction } = this.#progress
      // One that works on whole blocks counts no records, and gets on all the same.
      const done = records + fraction
      // A thread that is still loading the job does not hang, nor does one that may be waiting for others.
      if (!this.#isReady || this.#fetching > 0 || done !== before || attempt !== attemptBefore) {
        before = done
        attemptBefore = attempt
        since = systemClock.now()
      } else if (systemClock.now() - since > hangMs) {
        this.#lose('hung', `no record was finished for ${String(hangMs)} ms`)
        void this.end('hung')
      }
    }
    this.#watching = systemClock.setTimer(WATCH_MS, look)
  }

  #onMessage(message: FromThread): void {
    // What it says after it was given up is known to others as not done.
    if (this.#isGone) return
    switch (message.type) {
      case 'ready':
        this.#isReady = true
        this.#onReady(message.error)
        if (message.error !== null) for (const one of this.#takeAll()) one.crashed(message.error, 'machine')
        break
      case 'ended':
        for (const ended of fromJson(message.works)) this.#ended(ended)
        break
      case 'status': {
        const attempt = this.#given.get(message.number)
        if (attempt !== undefined) attempt.status = message.text
        break
      }
      case 'read':
        void this.#read(message)
        break
      case 'fetch':
        void this.#fetch(message)
        break
    }
  }

  #ended(ended: EndedWork): void {
    const attempt = this.#given.get(ended.number)
    this.#given.delete(ended.number)
    attempt?.ended(ended)
    if (this.#given.size > 0) return
    this.#watching?.cancel()
    this.#watching = undefined
  }

  /** The thread is no more: what it was at is to blame, and nothing that only waited. */
  #lose(reason: 'crashed' | 'hung', message: string): void {
    if (this.#isGone) return
    this.#isGone = true
    this.#watching?.cancel()
    const { attempt } = this.#progress
    // Between two attempts it is something that one of the first left behind.
    const [first = 0] = this.#given.keys()
    const number = this.#given.has(attempt) ? attempt : first
    const culprit = this.#given.get(number)
    this.#given.delete(number)
    culprit?.crashed(message, reason, number === attempt ? this.#whereItWas(culprit.work) : null)
    this.#onGone(this.#takeAll())
  }

  #takeAll(): GivenAttempt[] {
    const all = [...this.#given.values()]
    this.#given.clear()
    return all
  }

  #whereItWas(work: Work): BadRecord | null {
    const { offset, split } = this.#progress
    if (offset < 0) return null
    if (work.kind === 'reduce') return { file: '', offset, preview: '' }
    const file = work.splits[split]?.file ?? ''
    return { file, offset, preview: previewAt(file, offset) }
  }

  /** It waits for the answer, so there always is one. */
  async #fetch({ number, source, position, length, into }: Message<'fetch'>): Promise<void> {
    const window = new Window(into)
    const attempt = this.#given.get(number)
    const from = attempt?.work.kind === 'reduce' ? attempt.work.sources[source] : undefined
    this.#fetching++
    try {
      if (attempt === undefined || from === undefined) throw new Error('nobody wants this attempt any more')
      window.fill(await attempt.read.output(from, position, length))
    } catch (thrown) {
      window.fail(toError(thrown).message)
    }
    this.#fetching--
  }

  async #read({ number, read, file, position, length }: Message<'read'>): Promise<void> {
    const attempt = this.#given.get(number)
    if (attempt === undefined) return
    try {
      const bytes = await attempt.read.input(file, position, length)
      this.#say({ type: 'bytes', read, bytes, error: '' })
    } catch (thrown) {
      this.#say({ type: 'bytes', read, bytes: null, error: toError(thrown).message })
    }
  }
}

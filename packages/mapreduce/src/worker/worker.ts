/**
 * A worker: takes tasks from the coordinator as it has slots free, has them executed, and reports. It lives through restarts
 * of the coordinator with all that it holds, and goes when the job is over.
 */
import {
  openLink,
  sleep,
  systemClock,
  systemRandom,
  toError,
  RpcError,
  type Address,
  type Clock,
  type Client,
  type Link,
  type LinkOptions,
  type Milliseconds,
  type Random,
  type Timer,
} from '@lab/rpc'
import { attemptName, sameAttempt, type AttemptId } from '../core/task.ts'
import type { TaskFiles } from '../data/files.ts'
import { JobError } from '../errors.ts'
import { CoordinatorService, type HeldOutput, type Probe, type RegisterReply } from '../protocol.ts'
import type { Executor } from './executor.ts'
import { OutputsSeen } from './outputs-seen.ts'
import { Pace } from './pace.ts'
import { Reports } from './reports.ts'
import { RunningTask } from './running-task.ts'
import { layProbe, SharedFolders } from './shared-folders.ts'
import { Shuffle } from './shuffle.ts'

export interface WorkerOptions {
  readonly coordinator: Address | readonly Address[]
  /** How to reach the coordinator and other workers: transport, token. */
  readonly link: LinkOptions
  /** Where others reach our `shuffleService`; '' when none is served, and all share a file system. */
  readonly address: Address
  /** Tasks at a time. */
  readonly slots: number
  /** For people. */
  readonly host: string
  readonly pid: number
  readonly files: TaskFiles
  /** An existing folder of our own, absolute, for map outputs. */
  readonly folder: string
  /** Others fetch map outputs over the network, also where they could open them. Default false. */
  readonly streams?: boolean
  readonly executor: Executor
  /** Gives up when the coordinator was not reached for so long. Default 30 000. */
  readonly patienceMs?: Milliseconds
  readonly clock?: Clock
  readonly random?: Random
  /** Told in a line what happens. */
  readonly onEvent?: (text: string) => void
}

/** How often running attempts are reported; renews the lease. */
const BEAT_MS = 250
/** Longer than the coordinator keeps a poll. */
const POLL_TIMEOUT_MS = 6_000
const RETRY_MS = 100
/** As long as other tasks wait here, ends are told together: when half of them are made, or after so long. */
const GATHER_MS = 10
/** A coordinator that was restarted is to be found again at once. */
const RECONNECT = { minMs: 25, maxMs: 250, refusedMs: 250 }

export class Worker {
  readonly id: string
  readonly options: WorkerOptions
  readonly clock: Clock
  readonly client: Client<typeof CoordinatorService.methods>
  readonly shared: SharedFolders
  readonly shuffle: Shuffle
  readonly reports = new Reports()
  readonly held = new Map<number, HeldOutput>()
  readonly #link: Link
  readonly #probe: Probe
  readonly #stop = new AbortController()
  /** All that we were given, and have not told the end of. */
  readonly #running = new Set<RunningTask>()
  /** Those for which no slot is free yet, in order. */
  readonly #waiting: RunningTask[] = []
  /** How many there were when the last ones came: their ends are told when half of them are made. */
  #runningAtMost = 0
  readonly #pace = new Pace()
  #busySlots = 0
  #gathering: Timer | undefined
  #session: RegisterReply | null = null
  #table = new OutputsSeen()
  #poll = 0
  #lastHeard: Milliseconds
  #isReporting = false
  #isReportWanted = false

  constructor(options: WorkerOptions) {
    this.options = options
    this.clock = options.clock ?? systemClock
    const random = options.random ?? systemRandom
    this.id = `w${hex(random.bytes(4))}`
    this.#lastHeard = this.clock.now()
    this.#link = openLink(options.coordinator, { reconnect: RECONNECT, ...options.link })
    this.client = this.#link.client(CoordinatorService)
    this.shared = new SharedFolders(options.files)
    const { files, folder, link } = options
    this.shuffle = new Shuffle(
      { files, folder, worker: this.id, link, copies: options.executor.waits !== true },
      this.shared,
    )
    const probe = { path: `${folder}/probe`, nonce: hex(random.bytes(16)) }
    // What is nowhere proves nothing.
    this.#probe = options.streams === true ? probe : layProbe(files, probe)
  }
  /** What the coordinator said of the job; null before the first registration. */
  get session(): RegisterReply | null {
    return this.#session
  }

  get table(): OutputsSeen {
    return this.#table
  }

  /**
   * Works until the job is over.
   *
   * @throws {JobError} `OTHER_BUILD`, `BAD_JOB`; `CANCELLED` after {@link stop}
   * @throws {RpcError} when the coordinator does not want us, or was not reached for longer than our patience
   */
  async run(): Promise<void> {
    const beating = this.#beat()
    try {
      while (!(await this.#serve())) this.#session = null
    } finally {
      this.#stop.abort(new JobError('CANCELLED', 'the worker was stopped'))
      this.#gathering?.cancel()
      for (const task of this.#running) task.cancel()
      await beating
      this.shuffle.close()
      this.#link.close()
      await this.options.executor.close()
    }
  }

  /** Leaves: its tasks and its outputs go to others at once. */
  async stop(): Promise<void> {
    await this.client.leave({ worker: this.id }, { timeout: 1_000 }).catch(() => undefined)
    this.#stop.abort(new JobError('CANCELLED', 'the worker was stopped'))
  }

  /** Something is to be told: soon, together with what comes until then. */
  report(): void {
    this.#gathering?.cancel()
    this.#gathering = undefined
    this.#isReportWanted = true
    if (!this.#isReporting) void this.#reportAll()
  }

  /** @returns true when the job is over, false when we are not known, or no more */
  async #serve(): Promise<boolean> {
    const session = await this.#patiently(() => this.#register())
    await this.options.executor.prepare(session.job)
    if (this.#session?.epoch !== session.epoch) this.#table = new OutputsSeen()
    this.#session = session
    this.#say(`works for ${session.job.name}, epoch ${String(session.epoch)}`)
    this.report()
    for (;;) {
      const { isOver, isUnknown, assignments } = await this.#patiently(() => this.#next(session.epoch))
      if (isOver || isUnknown) return isOver
      for (const assignment of assignments) this.#start(assignment)
      this.#runningAtMost = this.#running.size
    }
  }

  #register(): Promise<RegisterReply> {
    const { host, pid, slots, address } = this.options
    return this.client.register(
      {
        ...{ worker: this.id, host, pid, slots, address, probe: this.#probe },
        poll: this.#poll,
        outputs: [...this.held.values()],
        running: this.#attempts(),
      },
      { timeout: POLL_TIMEOUT_MS, signal: this.#stop.signal },
    )
  }

  #next(epoch: number): ReturnType<Worker['client']['next']> {
    const poll = ++this.#poll
    return this.client.next(
      { worker: this.id, epoch, poll, running: this.#attempts() },
      { timeout: POLL_TIMEOUT_MS, signal: this.#stop.signal },
    )
  }

  /** Repeats what fails for want of a connection, until patience ends. */
  async #patiently<T>(call: () => Promise<T>): Promise<T> {
    for (;;) {
      try {
        const reply = await call()
        this.#lastHeard = this.clock.now()
        return reply
      } catch (thrown) {
        this.#stop.signal.throwIfAborted()
        const error = toError(thrown)
        const patience = this.options.patienceMs ?? 30_000
        if (!isWorthRepeating(error) || this.clock.now() - this.#lastHeard > patience) throw error
        await sleep(this.clock, RETRY_MS, this.#stop.signal)
      }
    }
  }

  #start(assignment: ConstructorParameters<typeof RunningTask>[1]): void {
    if (this.#session === null) return
    const task = new RunningTask(this, assignment, this.#session)
    this.#running.add(task)
    this.#waiting.push(task)
    this.#fillSlots()
  }

  #fillSlots(): void {
    for (;;) {
      const [task] = this.#waiting
      if (task === undefined || this.#busySlots >= this.#slotsFor(task)) return
      this.#waiting.shift()
      void this.#make(task)
    }
  }

  /** Where tasks take no time, many are handed over for each slot: what costs then is to say so. */
  #slotsFor({ attempt: { kind } }: RunningTask): number {
    const { slots, executor } = this.options
    return executor.queues === true && kind === 'map' ? slots * this.#pace.atOnce : slots
  }

  async #make(task: RunningTask): Promise<void> {
    this.#busySlots++
    // Others do not wait for one that may itself wait, for a worker that is dead.
    if (!task.isCancelled) await Promise.race([task.run(), task.cancelled])
    this.#busySlots--
    this.#running.delete(task)
    this.#pace.note(task.elapsedMs)
    this.#fillSlots()
    const { size } = this.#running
    if (size < 2 * this.options.slots || size === this.#runningAtMost >> 1) this.report()
    else
      this.#gathering ??= this.clock.setTimer(GATHER_MS, () => {
        this.report()
      })
  }

  /** Attempts that are being made, and those whose end the coordinator has not heard of. */
  #attempts(): AttemptId[] {
    const { done, failed, unfetched } = this.reports.all()
    const ended = [
      ...done,
      ...failed.map(({ attempt }) => attempt),
      ...unfetched.map(({ attempt }) => attempt),
    ]
    const running = [...this.#running].map(({ attempt }) => attempt)
    const all = new Map([...running, ...ended].map((one) => [attemptName(one), one]))
    return [...all.values()].map(({ kind, task, attempt, worker }) => ({ kind, task, attempt, worker }))
  }

  async #reportAll(): Promise<void> {
    this.#isReporting = true
    while (this.#isReportWanted && !this.#stop.signal.aborted) {
      this.#isReportWanted = false
      const session = this.#session
      if (session === null) break // Told when we are registered again.
      const told = this.reports.all()
      const progress = [...this.#running].filter((task) => task.isBegun).map((task) => task.progress())
      try {
        const request = { worker: this.id, epoch: session.epoch, ...told, progress }
        const { isUnknown, cancel } = await this.client.report(request, { signal: this.#stop.signal })
        this.#lastHeard = this.clock.now()
        // Unknown: the poll learns it too, and registers us again.
        if (!isUnknown) this.reports.forget(told)
        for (const attempt of cancel) this.#cancel(attempt)
      } catch {
        // The next beat repeats it.
      }
    }
    this.#isReporting = false
  }

  #cancel(attempt: AttemptId): void {
    for (const task of this.#running) if (sameAttempt(task.attempt, attempt)) task.cancel()
  }

  async #beat(): Promise<void> {
    const { signal } = this.#stop
    while (!signal.aborted) {
      await sleep(this.clock, BEAT_MS, signal).catch(() => undefined)
      if (this.#running.size > 0 || !this.reports.isEmpty) this.report()
    }
  }

  #say(text: string): void {
    this.options.onEvent?.(text)
  }
}

function isWorthRepeating(error: Error): boolean {
  return error instanceof RpcError && error.code !== 'UNAUTHORISED' && error.code !== 'NO_SUCH_METHOD'
}

function hex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')
}

/**
 * Runs one job: the schedule decides, and this carries out. It answers workers, journals what became true before it says so,
 * and gives the output its final names at the end. Killed at any moment and started again with the same options, it goes on
 * where it was.
 */
import {
  systemClock,
  systemRandom,
  toError,
  type Clock,
  type Disk,
  type Milliseconds,
  type Random,
  type Timer,
  type TraceSink,
} from '@lab/rpc'
import type { Decision, Input, JobFailure, Transition } from '../core/decision.ts'
import type { Fact } from '../core/facts.ts'
import { Schedule } from '../core/schedule.ts'
import { defaultScheduleOptions, type ScheduleOptions } from '../core/state.ts'
import { attemptName, type WorkerId } from '../core/task.ts'
import { digestOf } from '../data/digest.ts'
import { JobError } from '../errors.ts'
import type { Split } from '../formats.ts'
import type { Manifest } from '../manifest.ts'
import type { JobSpec, Probe } from '../protocol.ts'
import { describeFailure } from './describe-failure.ts'
import { Journal, type PlaceLine } from './journal.ts'
import { manifestOf, winnersOf } from './manifest-of.ts'
import { OutputFolder } from './output-folder.ts'
import { OutputTable } from './output-table.ts'
import { Polls } from './polls.ts'
import type { WorkerDetails } from './worker-details.ts'

export interface CoordinatorOptions {
  readonly job: JobSpec
  /** One list of splits for each map task. */
  readonly splits: readonly (readonly Split[])[]
  /** The output folder. */
  readonly output: string
  /** Are keys sorted in the parts? The manifest says so. */
  readonly isSorted: boolean
  /** Is the output synced before it is called whole? Default true. */
  readonly durable?: boolean
  readonly disk: Disk
  /** For workers that cannot open the input themselves: up to `length` bytes from `position` on, fewer only at the end. */
  readonly readInput: (file: string, position: number, length: number) => Promise<Uint8Array>
  /** Is a worker's folder one that others see, too? Default: when `disk` does. */
  readonly sees?: (probe: Probe) => Promise<boolean>
  readonly schedule?: Partial<Omit<ScheduleOptions, 'maps' | 'reduces'>>
  readonly clock?: Clock
  readonly random?: Random
  readonly trace?: TraceSink
  /** Told of every change of a task. */
  readonly onTransition?: (transition: Transition) => void
}

export interface JobReport {
  readonly manifest: Manifest
  /** Of this run of the coordinator. */
  readonly elapsedMs: Milliseconds
  /** How often it was started. */
  readonly epochs: number
}

const FAILURES_MAX = 20

export class Coordinator {
  readonly options: CoordinatorOptions
  readonly clock: Clock
  readonly schedule: Schedule
  readonly folder: OutputFolder
  readonly probe: Probe
  readonly table: OutputTable
  readonly polls: Polls
  readonly workers = new Map<WorkerId, WorkerDetails>()
  /** Where outputs are, also of workers that are lost. */
  readonly places = new Map<WorkerId, Pick<WorkerDetails, 'address' | 'probe'>>()
  readonly startedAt: Milliseconds
  /** Resolves when the output is whole and has its final names. @throws {JobError} when the job failed, or was closed */
  readonly done: Promise<JobReport>
  /** The latest attempts that came to nothing, for people. */
  readonly failures: { readonly task: string; readonly text: string }[] = []
  /** Why the job failed, if it did. */
  failure: Error | null = null
  readonly #journal: Journal
  #timer: Timer | undefined
  #isFinished = false
  #resolve: (report: JobReport) => void = () => undefined
  #reject: (error: Error) => void = () => undefined

  private constructor(options: CoordinatorOptions, folder: OutputFolder, journal: Journal, probe: Probe) {
    this.options = options
    this.folder = folder
    this.probe = probe
    this.#journal = journal
    this.clock = options.clock ?? systemClock
    this.startedAt = this.clock.now()
    const { splits, job, schedule } = options
    this.schedule = new Schedule({
      ...defaultScheduleOptions,
      ...schedule,
      maps: splits.length,
      reduces: job.reduces,
    })
    this.polls = new Polls(splits)
    this.done = new Promise((resolve, reject) => {
      this.#resolve = resolve
      this.#reject = reject
    })
    // Whoever does not wait for it sees the failure in the status.
    this.done.catch(() => undefined)
    this.table = new OutputTable()
  }

  /**
   * Takes up the job, or goes on with it where an earlier run in the same folder was.
   *
   * @throws {JobError} `BAD_OUTPUT` when the folder holds something else
   */
  static async open(options: CoordinatorOptions): Promise<Coordinator> {
    const { disk, output, job, splits, random = systemRandom } = options
    const folder = new OutputFolder(disk, output)
    await folder.open()
    const identity = JSON.stringify([job.build, job.parameters, job.reduces, job.plan, job.seed, splits])
    const journal = await Journal.open(disk, `${folder.attempts}/journal`, digestOf(identity))
    const probe = await layProbe(disk, `${folder.attempts}/probe`, random)
    const coordinator = new Coordinator(options, folder, journal, probe)
    await coordinator.#replay()
    return coordinator
  }

  get epoch(): number {
    return this.#journal.epoch
  }

  /** The output is whole, or the job has failed: workers may go. */
  get isFinished(): boolean {
    return this.#isFinished
  }

  /** Would what this worker leaves be found without it? */
  sees(probe: Probe): Promise<boolean> {
    return this.options.sees?.(probe) ?? isAt(this.options.disk, probe)
  }

  /** Notes where a worker's outputs are, for good when they stay when it goes. */
  async place(
    worker: WorkerId,
    where: Pick<WorkerDetails, 'address' | 'probe'>,
    isKept: boolean,
  ): Promise<void> {
    this.places.set(worker, where)
    // When the job is over the journal is closed, and nobody will read it.
    const isOver = this.#isFinished || this.schedule.state.isOver
    if (isKept && !isOver) await this.#write([{ fact: 'place', worker, ...where }])
  }

  /** @returns when what follows from these inputs is in the journal */
  async step(inputs: Input | readonly Input[]): Promise<void> {
    this.schedule.step(inputs, this.clock.now())
    await this.#carryOut()
  }

  /** Stops at once. What is done stays done, for the next run. */
  async close(): Promise<void> {
    if (!this.#isFinished) this.#fail(new JobError('CANCELLED', 'the job was stopped before it was done'))
    await this.#journal.close()
  }

  async #replay(): Promise<void> {
    const facts: Fact[] = []
    for (const fact of this.#journal.facts) if (await this.#isStillTrue(fact)) facts.push(fact)
    const kept = new Set<WorkerId>()
    for (const { worker, address, probe } of this.#journal.places) {
      if (!(await this.sees(probe))) continue
      this.places.set(worker, { address, probe })
      kept.add(worker)
    }
    this.schedule.replay(facts, this.clock.now(), kept)
    for (const { winner } of this.schedule.state.maps)
      if (winner !== null) this.table.add(winner, winner.result)
    await this.#carryOut()
  }

  /** After a loss of power the journal may know of files that the disk forgot. */
  async #isStillTrue(fact: Fact): Promise<boolean> {
    return fact.fact !== 'completed' || (await this.folder.has(fact, fact.result.files))
  }

  async #carryOut(): Promise<void> {
    const decisions = this.schedule.takeDecisions()
    const facts = decisions.flatMap((decision) => (decision.type === 'fact' ? [decision.fact] : []))
    for (const decision of decisions) this.#handle(decision)
    this.#setTimer()
    if (facts.length > 0) await this.#write(facts)
    const over = decisions.find((decision) => decision.type === 'over')
    if (over?.type === 'over') await this.#end(over.failure)
  }

  async #write(facts: readonly (Fact | PlaceLine)[]): Promise<void> {
    try {
      await this.#journal.append(facts)
    } catch (thrown) {
      this.#fail(toError(thrown))
    }
  }

  #handle(decision: Decision): void {
    switch (decision.type) {
      case 'assign':
        this.polls.assign(decision, this.table.version)
        break
      case 'cancel':
        this.workers.get(decision.attempt.worker)?.cancel.push(decision.attempt)
        break
      case 'fact':
        if (decision.fact.fact === 'completed' && decision.fact.kind === 'map')
          this.table.add(decision.fact, decision.fact.result)
        if (decision.fact.fact === 'output-lost') this.table.lose(decision.fact.task)
        break
      case 'transition':
        this.#tell(decision.transition)
        break
      case 'failure':
        this.failures.push({ task: attemptName(decision.attempt), text: describeFailure(decision).message })
        if (this.failures.length > FAILURES_MAX) this.failures.shift()
        break
      case 'expel':
        this.workers.delete(decision.worker)
        this.polls.drop(decision.worker)
        break
      case 'over':
        break
    }
  }

  #tell(transition: Transition): void {
    this.options.onTransition?.(transition)
    const { trace } = this.options
    if (trace !== undefined) trace({ n: 'coordinator', k: 'task', ...transition })
  }

  #setTimer(): void {
    this.#timer?.cancel()
    const now = this.clock.now()
    const deadline = this.schedule.deadline(now)
    if (deadline === Infinity || this.#isFinished) return
    const onDeadline = (): void => {
      void this.step({ type: 'deadline' })
    }
    // Never at once: a schedule that asks for the same moment again must not stop time.
    this.#timer = this.clock.setTimer(Math.max(deadline - now, 1), onDeadline)
  }

  async #end(failure: JobFailure | null): Promise<void> {
    try {
      if (failure !== null) throw describeFailure(failure)
      const { state } = this.schedule
      const manifest = manifestOf(this.options, state)
      await this.folder.commit(winnersOf(state), manifest, this.options.durable ?? true)
      await this.#journal.close()
      await this.folder.sweep()
      const elapsedMs = this.clock.now() - this.startedAt
      this.#finish()
      this.#resolve({ manifest, elapsedMs, epochs: this.epoch })
    } catch (thrown) {
      this.#fail(toError(thrown))
    }
  }

  #fail(error: Error): void {
    this.failure = error
    this.#finish()
    this.#reject(error)
  }

  #finish(): void {
    this.#isFinished = true
    this.#timer?.cancel()
    this.polls.answerAll()
  }
}

async function isAt(disk: Disk, { path, nonce }: Probe): Promise<boolean> {
  try {
    const file = await disk.open(path)
    const bytes = await file.read(0, nonce.length)
    await file.close()
    return new TextDecoder().decode(bytes) === nonce
  } catch {
    return false
  }
}

async function layProbe(disk: Disk, path: string, random: Random): Promise<Probe> {
  const nonce = Array.from(random.bytes(16), (byte) => byte.toString(16).padStart(2, '0')).join('')
  const file = await disk.open(path, { create: true })
  await file.write(new TextEncoder().encode(nonce), 0)
  await file.close()
  return { path, nonce }
}

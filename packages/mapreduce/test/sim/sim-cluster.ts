/** A coordinator and workers on simulated machines: the product's own, but for the executor. One seed, one history. */
import { serve, toError, type LinkOptions } from '@lab/rpc'
import { World, type SimProcess } from '@lab/sim'
import { Coordinator, type JobReport } from '../../src/coordinator/coordinator.ts'
import { coordinatorService } from '../../src/coordinator/service.ts'
import type { Transition } from '../../src/core/decision.ts'
import type { ScheduleOptions } from '../../src/core/state.ts'
import { MemoryFiles } from '../../src/data/memory-files.ts'
import type { Work } from '../../src/task/work.ts'
import { shuffleService } from '../../src/worker/shuffle.ts'
import { Worker } from '../../src/worker/worker.ts'
import { SimExecutor, type Luck } from './sim-executor.ts'
import type { SimJob } from './sim-job.ts'

export interface SimClusterOptions {
  readonly seed: number
  readonly job: SimJob
  readonly workers: number
  readonly slots?: number
  readonly luck?: Partial<Luck>
  readonly schedule?: Partial<Omit<ScheduleOptions, 'maps' | 'reduces'>>
  /** Workers see each other's map outputs. Default false: they are streamed. */
  readonly sharesFolders?: boolean
  /** Told of each attempt that begins, and where. */
  readonly onBegin?: (machine: string) => void
}

/** An attempt that was made, on which worker's machine. */
export interface Made {
  readonly work: Work
  readonly machine: string
  readonly beganAt: number
  endedAt: number | null
}

const COORDINATOR = 'coordinator'
export const OUTPUT = 'out'
/** A dead process is started again by whoever looks after it. */
export const RESTART_MS = 300

export class SimCluster {
  readonly world: World
  readonly transitions: (Transition & { readonly at: number })[] = []
  readonly made: Made[] = []
  readonly files = new Map<string, MemoryFiles>()
  report: JobReport | null = null
  failure: Error | null = null
  /** When the first worker went because the job was over. */
  firstExit: number | null = null
  readonly #options: SimClusterOptions
  #epochs = 0

  constructor(options: SimClusterOptions) {
    this.#options = options
    this.world = new World({
      seed: options.seed,
      onEnd: (machine) => {
        this.world.clock.setTimer(RESTART_MS, () => {
          this.start(machine)
        })
      },
    })
    const shared = new MemoryFiles()
    for (const id of [COORDINATOR, ...this.workers]) {
      this.world.add(id)
      this.files.set(id, options.sharesFolders === true ? shared : new MemoryFiles())
      this.start(id)
    }
  }

  get workers(): readonly string[] {
    return Array.from({ length: this.#options.workers }, (_, i) => `w${String(i + 1)}`)
  }

  /** Tasks that are completed, or were, with the time at which the coordinator first said so: `map 3`. */
  get completed(): Map<string, number> {
    const done = this.transitions.filter(({ to }) => to === 'completed')
    // Of several the last one is kept: so the first one comes last.
    return new Map(done.reverse().map(({ kind, task, at }) => [`${kind} ${String(task)}`, at]))
  }

  /** Tasks of which an attempt began after they were completed. */
  get madeAgain(): string[] {
    const { completed } = this
    return this.made
      .map(({ work, beganAt }) => ({ name: `${work.kind} ${String(work.attempt.task)}`, beganAt }))
      .filter(({ name, beganAt }) => beganAt > (completed.get(name) ?? Infinity))
      .map(({ name }) => name)
  }

  /** R. */
  get reduces(): number {
    return this.#options.job.spec.reduces
  }

  /** How often the coordinator was started. */
  get epochs(): number {
    return this.#epochs
  }

  get isOver(): boolean {
    return this.report !== null || this.failure !== null
  }

  kill(machine: string): void {
    this.world.machine(machine).kill()
  }

  start(machine: string): void {
    if (this.isOver && machine === COORDINATOR) return
    const process = this.world.machine(machine).boot()
    const running = machine === COORDINATOR ? this.#coordinate(process) : this.#work(process)
    running.catch((thrown: unknown) => {
      if (machine === COORDINATOR) this.failure = toError(thrown)
    })
  }

  /** Runs until the job is over. @throws when it is not within `limitMs`, or failed */
  async finish(limitMs = 300_000): Promise<JobReport> {
    await this.world.run(() => this.isOver, limitMs)
    if (this.report === null) throw this.failure ?? new Error('the job is not over')
    return this.report
  }

  /** The lines of all parts. */
  async output(): Promise<string> {
    const parts = this.report?.manifest.parts ?? []
    const texts = parts.map(({ name }) => this.read(`${OUTPUT}/${name}`))
    return (await this.world.settle(Promise.all(texts), 60_000)).join('')
  }

  async read(path: string): Promise<string> {
    const file = await this.world.machine(COORDINATOR).disk.process().open(path)
    const text = new TextDecoder().decode(await file.read(0, await file.size()))
    await file.close()
    return text
  }

  list(path: string): Promise<string[]> {
    return this.world.settle(this.world.machine(COORDINATOR).disk.process().list(path), 60_000)
  }

  async #coordinate({ clock, random, disk, transport, trace }: SimProcess): Promise<void> {
    this.#epochs++
    const { job, schedule, sharesFolders = false } = this.#options
    const coordinator = await Coordinator.open({
      ...{ job: job.spec, splits: job.splits, output: OUTPUT, isSorted: true, disk, clock, random },
      readInput: (file, position, length) =>
        Promise.resolve((job.files.get(file) ?? new Uint8Array(0)).slice(position, position + length)),
      sees: () => Promise.resolve(sharesFolders),
      onTransition: (transition) => this.transitions.push({ ...transition, at: this.world.now }),
      ...(schedule === undefined ? {} : { schedule }),
      ...(trace === undefined ? {} : { trace }),
    })
    const server = await serve({ transport, listen: `memory://${COORDINATOR}`, clock, random }, [
      coordinatorService(coordinator),
    ])
    try {
      this.report = await coordinator.done
    } finally {
      await server.close()
    }
  }

  async #work({ id, clock, random, transport }: SimProcess): Promise<void> {
    const { job, slots = 1, luck } = this.#options
    const files = this.files.get(id) ?? new MemoryFiles()
    const folder = `${id}-${String(random.integer(0, 1e9))}`
    const link: LinkOptions = { transport, clock, random }
    const server = await serve({ transport, listen: `memory://${id}`, clock, random }, [
      shuffleService(files, folder),
    ])
    const executor = new SimExecutor({
      ...{ job, clock, random, files },
      luck: { takesMs: () => random.integer(20, 400), fails: 0, hangs: 0, ...luck },
      onAttempt: (work, what) => {
        this.#noteAttempt(id, work, what)
      },
    })
    const worker = new Worker({
      ...{ coordinator: `memory://${COORDINATOR}`, link, address: server.address, slots, host: id, pid: 1 },
      ...{ files, folder, executor, clock, random, patienceMs: 120_000 },
    })
    await worker.run()
    this.firstExit ??= this.world.now
    await server.close()
  }

  #noteAttempt(machine: string, work: Work, what: 'begin' | 'end'): void {
    if (what === 'begin') {
      this.made.push({ work, machine, beganAt: this.world.now, endedAt: null })
      this.#options.onBegin?.(machine)
    } else {
      const made = this.made.find((one) => one.work === work)
      if (made !== undefined) made.endedAt = this.world.now
    }
  }
}

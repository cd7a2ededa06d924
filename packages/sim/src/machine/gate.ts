import { toError, type Clock } from '@lab/rpc'

/** What comes to a process: its timers, and what the network and the disk bring. */
export type Arrival = 'timer' | 'io'

/**
 * The door through which everything reaches one process. Open, it lets through at once; while the process is paused things
 * wait before it; when the process has died nothing passes any more, and whatever waited inside for a message, a timer or
 * the disk waits for ever: that is how a process ends in the simulator.
 */
export class Gate {
  readonly #clock: Clock
  #state: 'open' | 'paused' | 'dead' = 'open'
  /** Came while the process was paused. */
  #timers: (() => void)[] = []
  #io: (() => void)[] = []
  /** Is being worked off; what comes meanwhile comes behind it. */
  #draining: (() => void)[] = []
  #isDraining = false

  /** @param clock the world's, on which a process that wakes up works off what waited, one thing a turn */
  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** What comes passes at once. */
  get isOpen(): boolean {
    return this.#state === 'open' && !this.#isDraining
  }

  get isDead(): boolean {
    return this.#state === 'dead'
  }

  get isPaused(): boolean {
    return this.#state === 'paused'
  }

  pass(kind: Arrival, run: () => void): void {
    if (this.#state === 'dead') return
    if (this.#state === 'paused') (kind === 'timer' ? this.#timers : this.#io).push(run)
    else if (this.#isDraining) this.#draining.push(run)
    else run()
  }

  /** The same for a promise: it settles when its result may pass. */
  promise<T>(work: Promise<T>): Promise<T> {
    return work.then(this.#passed, this.#failed) as Promise<T>
  }

  // Made once: a process waits for promises all the time, and nearly always its gate is open.

  readonly #passed = (value: unknown): unknown => (this.isOpen ? value : this.#later(() => value))

  readonly #failed = (thrown: unknown): unknown => {
    const error = toError(thrown)
    if (this.isOpen) throw error
    return this.#later(() => {
      throw error
    })
  }

  #later<T>(settle: () => T): Promise<T> {
    return new Promise<void>((resolve) => {
      this.pass('io', resolve)
    }).then(settle)
  }

  /** As SIGSTOP. */
  pause(): void {
    if (this.#state === 'open') this.#state = 'paused'
  }

  /** As SIGCONT: first the timers that came due, then the mail, then what these have set off, as an event loop does. */
  resume(): void {
    if (this.#state !== 'paused') return
    this.#state = 'open'
    this.#draining.push(...this.#timers.splice(0), ...this.#io.splice(0))
    this.#drain()
  }

  /** As SIGKILL. */
  kill(): void {
    this.#state = 'dead'
    this.#timers = []
    this.#io = []
    this.#draining = []
  }

  #drain(): void {
    if (this.#isDraining) return
    this.#isDraining = true
    const next = (): void => {
      if (this.#state !== 'open') {
        this.#isDraining = false
        return
      }
      const run = this.#draining.shift()
      if (run === undefined) {
        this.#isDraining = false
        return
      }
      run()
      this.#clock.setTimer(0, next)
    }
    this.#clock.setTimer(0, next)
  }
}

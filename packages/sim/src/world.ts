/**
 * One simulated world: virtual time, a network, and machines with disks and clocks of their own. What happens in it follows
 * from its seed and from what the caller does, and from nothing else.
 */
import {
  assert,
  seededRandom,
  type Milliseconds,
  type Random,
  type TraceEvent,
  type TraceFields,
  type TraceSink,
} from '@lab/rpc'
import { MemoryNetwork } from '@lab/rpc/memory'
import { ManualClock } from '@lab/rpc/testing'
import { hashText } from './hash.ts'
import { Machine, type ProcessEnd } from './machine/machine.ts'

export interface WorldOptions {
  readonly seed: number
  /** Gets every event. Without it nothing is traced and nothing spent on it. */
  readonly onEvent?: (event: TraceEvent) => void
  /** Whether messages are events, too; they are most of all. Default true. */
  readonly messages?: boolean
  /** Called after every step, with all that the step set off done. What it throws ends the run. */
  readonly onStep?: () => void
  /** A process has ended. */
  readonly onEnd?: (machine: string, end: ProcessEnd) => void
}

/** As events are written down. */
function stampedFirst(fields: TraceFields, i: number, t: number): TraceEvent {
  return { i, t, ...fields }
}

/** For whom only looks at them: no copy, as whoever tells of an event has made it for that. */
function stampedLast(fields: TraceFields, i: number, t: number): TraceEvent {
  const event = fields as Stamped
  event.i = i
  event.t = t
  return event
}

type Stamped = TraceFields & { i: number; t: number }

/** What the wall clock shows at first: November 2023, like any other. */
const WALL_TIME_AT_ZERO = 1_700_000_000_000

export class World {
  readonly clock = new ManualClock({ wallTimeAtZero: WALL_TIME_AT_ZERO })
  readonly network: MemoryNetwork
  readonly trace: TraceSink | undefined
  readonly #options: WorldOptions
  readonly #machines = new Map<string, Machine>()
  #events = 0
  #steps = 0

  constructor(options: WorldOptions) {
    this.#options = options
    const { onEvent, messages = true } = options
    this.trace = onEvent === undefined ? undefined : Object.assign(this.#sink(onEvent), { messages })
    this.network = new MemoryNetwork({
      clock: this.clock,
      random: this.random('network'),
      ...(this.trace === undefined ? {} : { trace: this.trace }),
    })
  }

  /** Chance for one purpose: what one draws does not change what others get. */
  random(purpose: string): Random {
    return seededRandom(hashText(`${String(this.#options.seed)} ${purpose}`))
  }

  /** Adds a machine; nothing runs on it yet. */
  add(id: string): Machine {
    assert(!this.#machines.has(id), `there is a machine ${id} already`)
    const { clock, network, trace } = this
    const machine = new Machine({
      ...{ id, clock, network, trace },
      random: this.random(`machine ${id}`),
      onEnd: (end) => this.#options.onEnd?.(id, end),
    })
    this.#machines.set(id, machine)
    return machine
  }

  machine(id: string): Machine {
    const machine = this.#machines.get(id)
    assert(machine !== undefined, `${id} is one of ${[...this.#machines.keys()].join(', ')}`)
    return machine
  }

  get machines(): readonly Machine[] {
    return [...this.#machines.values()]
  }

  get now(): Milliseconds {
    return this.clock.now()
  }

  /** Steps so far: a timer, a message, an answer of a disk, with everything that followed from it at once. */
  get steps(): number {
    return this.#steps
  }

  /** Runs until `until` holds. @throws what `onStep` throws, or when `limitMs` of virtual time have passed */
  run(until: () => boolean, limitMs: Milliseconds): Promise<void> {
    const { onStep } = this.#options
    return this.clock.run(
      () => {
        this.#steps++
        onStep?.()
        return until()
      },
      { limitMs },
    )
  }

  /** Runs until `work` has settled. @returns its value @throws what it rejects with, or as {@link run} */
  async settle<T>(work: Promise<T>, limitMs: Milliseconds): Promise<T> {
    let settled = false
    const settle = (): void => {
      settled = true
    }
    work.then(settle, settle)
    await this.run(() => settled, limitMs)
    return work
  }

  /** Lets time pass. */
  async advance(duration: Milliseconds): Promise<void> {
    let over = false
    this.clock.setTimer(duration, () => {
      over = true
    })
    await this.run(() => over, duration + 1)
  }

  #sink(onEvent: (event: TraceEvent) => void): TraceSink {
    const stamped = this.#options.messages === false ? stampedLast : stampedFirst
    return (fields) => {
      const i = ++this.#events
      onEvent(stamped(fields, i, Math.round(this.clock.now() * 1000)))
      return i
    }
  }
}

import {
  seededRandom,
  type Clock,
  type Disk,
  type Random,
  type TraceFields,
  type TraceSink,
  type Transport,
} from '@lab/rpc'
import { memory, type MemoryNetwork } from '@lab/rpc/memory'
import type { ManualClock } from '@lab/rpc/testing'
import { SimDisk } from '../disk/sim-disk.ts'
import { GatedDisk } from './gated-disk.ts'
import { gatedTransport } from './gated-transport.ts'
import { Gate } from './gate.ts'
import { MachineClock } from './machine-clock.ts'

/** Everything that a program may ask of the machine that it runs on. What it does otherwise is not repeatable. */
export interface SimProcess {
  /** The machine's name; it is reached at `memory://<id>`. */
  readonly id: string
  readonly clock: Clock
  readonly random: Random
  readonly disk: Disk
  readonly transport: Transport
  /** Undefined when nobody looks. */
  readonly trace: TraceSink | undefined
  /** Ends this process, as `process.exit` would. Its supervisor starts it again unless it ends `forGood`. */
  exit(why: string, options?: { readonly forGood?: boolean }): void
}

export interface MachineOptions {
  readonly id: string
  readonly clock: ManualClock
  readonly network: MemoryNetwork
  /** Decides what chance decides on this machine. */
  readonly random: Random
  readonly trace: TraceSink | undefined
  readonly onEnd?: (end: ProcessEnd) => void
}

/** How a process came to its end: killed from outside, or by itself. */
export type ProcessEnd = null | { readonly why: string; readonly forGood: boolean }

/** A simulated host: a disk that outlives processes, a clock of its own, and at most one process. */
export class Machine {
  readonly id: string
  readonly disk: SimDisk
  readonly clock: MachineClock
  readonly #options: MachineOptions
  #gate: Gate | null = null

  constructor(options: MachineOptions) {
    const { id, clock, random } = options
    this.id = id
    this.#options = options
    this.clock = new MachineClock(clock)
    this.disk = new SimDisk({ clock, random: seededRandom(random.integer(0, 2 ** 31)) })
  }

  get isUp(): boolean {
    return this.#gate !== null
  }

  get isPaused(): boolean {
    return this.#gate?.isPaused === true
  }

  /** Begins a process; what ran before has ended. */
  boot(): SimProcess {
    this.kill()
    const { id, clock, network, random, trace } = this.#options
    const gate = new Gate(clock)
    this.#gate = gate
    return {
      id,
      clock: this.clock.behind(gate),
      random: seededRandom(random.integer(0, 2 ** 31)),
      disk: new GatedDisk(this.disk.process(), gate),
      transport: gatedTransport(memory(network, { name: id }), gate),
      trace: trace === undefined ? undefined : gatedSink(trace, gate),
      exit: (why, { forGood = false } = {}) => {
        if (gate === this.#gate && this.#end({ why, forGood })) this.disk.kill()
      },
    }
  }

  /** As SIGKILL: the process is gone, what it wrote stays, synced or not. */
  kill(): void {
    if (this.#end(null)) this.disk.kill()
  }

  /** As the power: also what was not synced may be gone. */
  crash(): void {
    this.#end(null)
    this.disk.crash()
  }

  /** Somebody empties the disk; what runs there is stopped first. */
  wipe(): void {
    this.kill()
    this.disk.wipe()
    this.#options.trace?.({ n: this.id, k: 'fault', what: 'wipe' })
  }

  /** As SIGSTOP: timers, messages and the disk's answers wait. */
  pause(): void {
    this.#gate?.pause()
  }

  resume(): void {
    this.#gate?.resume()
  }

  #end(how: ProcessEnd): boolean {
    if (this.#gate === null) return false
    this.#gate.kill()
    this.#gate = null
    this.#options.network.crash(this.id)
    this.#options.onEnd?.(how)
    return true
  }
}

/** What a dead process still says is not heard. */
function gatedSink(trace: TraceSink, gate: Gate): TraceSink {
  const { messages = true } = trace
  return Object.assign((event: TraceFields) => (gate.isDead ? 0 : trace(event)), { messages })
}

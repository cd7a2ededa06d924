import type { Milliseconds } from '@lab/rpc'
import type { Raft } from '../core/raft.ts'
import type { Input } from '../core/ready.ts'
import type { RaftTrace } from './trace-events.ts'

/** Inputs that wait for the turn; and, while somebody traces, what each of them is in the trace. */
export class Inbox {
  readonly #core: Raft
  readonly #trace: RaftTrace | null
  /**
   * While the state machine reads its snapshot back this server votes and stores, so that others need not wait for it; but a leader
   * that can answer nobody would be none: no election timeout counts, and nobody may hand over to it.
   */
  mayLead = false
  #inputs: Input[] = []
  /** The event of each input; empty while nobody traces. */
  #events: number[] = []
  #cause = 0
  #lastCall = 0

  constructor(core: Raft, trace: RaftTrace | null) {
    this.#core = core
    this.#trace = trace
  }

  /** What is being done came of this event of the trace; 0 when nobody traces. */
  get cause(): number {
    return this.#cause
  }

  push(input: Input): void {
    if (this.#trace !== null) this.#events.push(this.#trace.causeOf(input))
    this.#inputs.push(input)
  }

  /** A proposal joined the queue, in this event of the trace. */
  called(event: number): void {
    this.#lastCall = event
  }

  /** Hands all inputs to the core, in order. */
  step(now: Milliseconds): void {
    const inputs = this.#inputs
    const events = this.#events
    if (inputs.length === 0) return
    // Others come while these are stepped; `splice` would be the slower way to say so.
    this.clear()
    for (let at = 0; at < inputs.length; at++) {
      if (this.#trace !== null) this.#because(events[at] ?? 0)
      const input = inputs[at] as Input
      if (this.mayLead || input.type !== 'message' || input.message.type !== 'TimeoutNow')
        this.#core.step(input, now)
    }
  }

  /** From here on the proposals of this turn are handed to the core. */
  beginProposals(): void {
    if (this.#trace !== null) this.#because(this.#lastCall)
  }

  clear(): void {
    this.#inputs = []
    if (this.#events.length > 0) this.#events = []
  }

  #because(event: number): void {
    this.#cause = event
    this.#core.because(event)
  }
}

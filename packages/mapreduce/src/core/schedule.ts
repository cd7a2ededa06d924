/**
 * The schedule of one job, pure: it is told what happened, and decides. It reads no clock, no disk and no network; the
 * coordinator around it does. The paper's section 3, as far as the master is concerned.
 *
 *     step(input, now) ──▶ takeDecisions() ──▶ deadline()
 */
import type { Milliseconds } from '@lab/rpc'
import { assign, backupDeadline } from './assign.ts'
import type { Decision, Input, Turn } from './decision.ts'
import { apply, workerOf, type Fact } from './facts.ts'
import { complete, failed, fetchFailed } from './outcome.ts'
import { newState, type ScheduleOptions, type State } from './state.ts'
import type { WorkerId } from './task.ts'
import { finish } from './tasks.ts'
import { ask, beat, disconnected, lose, loseExpired, register } from './workers.ts'

export class Schedule {
  readonly #state: State
  #decisions: Decision[] = []

  constructor(options: ScheduleOptions) {
    this.#state = newState(options)
  }

  /** For reading: status pages and tests. */
  get state(): Readonly<State> {
    return this.#state
  }

  /**
   * Takes up what an earlier coordinator knew, before the first step. The workers that hold completed maps have the grace
   * to come back with them.
   *
   * @param kept workers whose outputs others see, whether they come back or not
   */
  replay(facts: Iterable<Fact>, now: Milliseconds, kept: ReadonlySet<WorkerId> = new Set()): void {
    const state = this.#state
    for (const fact of facts) apply(state, fact)
    for (const { winner } of state.maps)
      if (winner !== null)
        workerOf(state, winner.worker, now + state.options.graceMs).keepsOutputs = kept.has(winner.worker)
    if (state.reducesLeft === 0) finish(this.#turn(now), null)
  }

  /** Is this worker's word taken? If not, it is to register first. */
  knows(worker: WorkerId): boolean {
    return this.#state.workers.get(worker)?.isRegistered === true
  }

  /** Takes what happened, in order; then hands out tasks to whoever is free. */
  step(inputs: Input | readonly Input[], now: Milliseconds): void {
    const turn = this.#turn(now)
    if (!this.#state.isOver) loseExpired(turn)
    for (const input of [inputs].flat()) if (!this.#state.isOver) this.#take(turn, input)
    if (!this.#state.isOver) assign(turn)
  }

  takeDecisions(): readonly Decision[] {
    const decisions = this.#decisions
    this.#decisions = []
    return decisions
  }

  /** When to come back with `deadline` if nothing else happens; Infinity for never. */
  deadline(now: Milliseconds): Milliseconds {
    if (this.#state.isOver) return Infinity
    let deadline = backupDeadline(this.#turn(now))
    for (const { leaseUntil } of this.#state.workers.values()) deadline = Math.min(deadline, leaseUntil)
    return deadline
  }

  #turn(now: Milliseconds): Turn {
    return {
      state: this.#state,
      now,
      decide: (decision) => {
        this.#decisions.push(decision)
      },
    }
  }

  #take(turn: Turn, input: Input): void {
    if (input.type === 'deadline') return
    if (input.type === 'register') {
      register(turn, input)
      return
    }
    const worker = this.#state.workers.get('worker' in input ? input.worker : input.attempt.worker)
    // Whoever was lost, or was never here, registers first: else what it holds would be counted without being there.
    if (worker?.isRegistered !== true) return
    if (input.type !== 'disconnected') {
      worker.leaseUntil = turn.now + this.#state.options.leaseMs
      worker.isAway = false
    }
    switch (input.type) {
      case 'ask':
        ask(turn, worker, input)
        break
      case 'beat':
        beat(turn, input)
        break
      case 'done':
        complete(turn, input.attempt, input.result, { why: 'done', elapsedMs: input.elapsedMs })
        break
      case 'failed':
        failed(turn, input)
        break
      case 'fetch-failed':
        fetchFailed(turn, input)
        break
      case 'disconnected':
        disconnected(turn, worker)
        break
      case 'left':
        // It takes its folder along.
        lose(turn, worker.id, 'it left', false)
        break
    }
  }
}

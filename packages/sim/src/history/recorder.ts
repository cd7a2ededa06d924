import type { Clock } from '@lab/rpc'
import type { Operation, Outcome } from './operation.ts'

/** Who is told of calls and returns, for the trace. */
export interface HistoryListener<Op, Result> {
  called(operation: Operation<Op, Result>): void
  returned(operation: Operation<Op, Result>): void
}

/** Takes down what clients call and what comes back. */
export class History<Op = unknown, Result = unknown> {
  readonly #clock: Clock
  readonly #listener: HistoryListener<Op, Result> | undefined
  readonly #operations: Operation<Op, Result>[] = []

  constructor(clock: Clock, listener?: HistoryListener<Op, Result>) {
    this.#clock = clock
    this.#listener = listener
  }

  /** All calls so far, in the order of their beginnings. What is still under way is unknown. */
  get operations(): readonly Operation<Op, Result>[] {
    return this.#operations
  }

  /**
   * Calls and takes down the outcome. Never rejects.
   *
   * @param outcomeOf what a rejection means; `fail` only for what certainly had no effect
   */
  async record(
    client: string,
    op: Op,
    perform: () => Promise<Result>,
    outcomeOf: (thrown: unknown) => Exclude<Outcome, 'ok'>,
  ): Promise<Outcome> {
    const begun: Operation<Op, Result> = {
      id: this.#operations.length + 1,
      client,
      op,
      call: this.#clock.now(),
      return: Infinity,
      outcome: 'unknown',
      result: undefined,
    }
    this.#operations.push(begun)
    this.#listener?.called(begun)
    try {
      const result = await perform()
      return this.#end(begun, 'ok', result)
    } catch (thrown) {
      return this.#end(begun, outcomeOf(thrown), undefined)
    }
  }

  #end(begun: Operation<Op, Result>, outcome: Outcome, result: Result | undefined): Outcome {
    const ended = { ...begun, outcome, result, return: outcome === 'unknown' ? Infinity : this.#clock.now() }
    this.#operations[begun.id - 1] = ended
    this.#listener?.returned(ended)
    return outcome
  }
}

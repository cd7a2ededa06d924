/** What was broken: an invariant, the history of the clients, or the promise to get well again. */
export type FailureCode = 'invariant' | 'linearizability' | 'liveness'

/** A run went wrong. `message` says what was seen. */
export class SimulationFailure extends Error {
  override readonly name = 'SimulationFailure'
  readonly code: FailureCode

  constructor(code: FailureCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
  }

  /** @param phase in which it came up @param now virtual, in milliseconds */
  static of(error: Error, phase: string, now: number): SimulationFailure {
    const when = `at ${(now / 1000).toFixed(3)} s, ${phase}: `
    const code = error instanceof SimulationFailure ? error.code : 'invariant'
    return new SimulationFailure(code, when + error.message, { cause: error })
  }
}

/** For invariants. @throws {SimulationFailure} `invariant`, with what was seen, unless `condition` holds */
export function mustHold(condition: boolean, seen: string): asserts condition {
  if (!condition) throw new SimulationFailure('invariant', seen)
}

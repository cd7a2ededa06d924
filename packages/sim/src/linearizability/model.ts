/**
 * What a correct service does when its operations come one after the other: the measure that histories are held against.
 *
 * @typeParam State of one key; never changed in place @typeParam Op what a client asks @typeParam Result what it gets
 */
export interface Model<State = unknown, Op = unknown, Result = unknown> {
  readonly name: string
  /** Operations on different keys have nothing to do with each other: each key is judged alone. Default: one key for all. */
  key?(op: Op): string
  /** The state of a key before anything happened. */
  init(): State
  /**
   * `op` happens in `state`: may it return `result`? With `result` undefined nobody knows what it returned.
   *
   * @returns the next state, or null when it cannot return that
   */
  step(state: State, op: Op, result: Result | undefined): { readonly state: State } | null
  /** A text for each state, equal for equal states. Default: its JSON. */
  stateKey?(state: State): string
  /** An operation that changes no state. One of unknown outcome says nothing, and a counter-example may do without any. Default: none. */
  isRead?(op: Op): boolean
  /**
   * May a counter-example do without this write, and a history when its outcome is unknown? Only when a history that has an
   * explanation keeps one without it: nobody among `others` could tell that it happened. Default: no.
   */
  removable?(operation: Called<Op, Result>, others: readonly Called<Op, Result>[]): boolean
  /** In words. Default: JSON. */
  describe?(op: Op, result: Result | undefined): string
}

/** What a model sees of an operation. */
export interface Called<Op, Result> {
  readonly op: Op
  readonly result: Result | undefined
}

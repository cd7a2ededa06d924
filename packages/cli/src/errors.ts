export type CliErrorCode =
  /** The command line does not make sense. */
  | 'USAGE'
  /** There is no such key. */
  | 'NOT_FOUND'
  /** A comparison that did not hold: nothing was set, or `else` was done. */
  | 'CONFLICT'
  /** No cluster answers. */
  | 'UNAVAILABLE'
  /** Something else went wrong; `message` says what. */
  | 'FAILED'

/** What a command has to say before it ends with another code than 0. */
export class CliError extends Error {
  override readonly name = 'CliError'
  readonly code: CliErrorCode
  constructor(code: CliErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
  }
}

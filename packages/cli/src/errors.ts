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
  /** What `message` says, for programs: stands beside it in JSON. */
  readonly details: Readonly<Record<string, unknown>>
  constructor(
    code: CliErrorCode,
    message: string,
    {
      details = {},
      ...options
    }: ErrorOptions & { readonly details?: Readonly<Record<string, unknown>> } = {},
  ) {
    super(message, options)
    this.code = code
    this.details = details
  }
}

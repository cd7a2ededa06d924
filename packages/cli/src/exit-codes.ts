/** How a command ends, for scripts. Stable API. */
export const ExitCode = {
  ok: 0,
  /** It did not work, or something was found to be wrong. */
  failure: 1,
  /** The command line, or a value on it, is not acceptable. */
  usage: 2,
  /** No such key, or a comparison lost. */
  notFound: 3,
  /** No server reached, no leader, no answer in time. A write certainly did nothing. */
  unavailable: 4,
  /** A write that may have been, or may yet be, applied. */
  outcomeUnknown: 5,
  unauthorised: 6,
  interrupted: 130,
} as const
export type ExitCode = (typeof ExitCode)[keyof typeof ExitCode]

const BY_CODE: Readonly<Record<string, ExitCode>> = {
  USAGE: ExitCode.usage,
  BAD_REQUEST: ExitCode.usage,
  BAD_ADDRESS: ExitCode.usage,
  BAD_KEY: ExitCode.usage,
  BAD_FILTER: ExitCode.usage,
  TOO_LARGE: ExitCode.usage,
  BAD_TTL: ExitCode.usage,
  BAD_TXN: ExitCode.usage,
  BAD_RANGE: ExitCode.usage,
  BAD_JOB: ExitCode.usage,
  BAD_INPUT: ExitCode.usage,
  BAD_OUTPUT: ExitCode.usage,
  NOT_FOUND: ExitCode.notFound,
  CONFLICT: ExitCode.notFound,
  UNAVAILABLE: ExitCode.unavailable,
  UNREACHABLE: ExitCode.unavailable,
  UNKNOWN_NODE: ExitCode.unavailable,
  NOT_LEADER: ExitCode.unavailable,
  LEADERSHIP_LOST: ExitCode.unavailable,
  TIMEOUT: ExitCode.unavailable,
  BUSY: ExitCode.unavailable,
  CLOSED: ExitCode.unavailable,
  CANCELLED: ExitCode.interrupted,
  UNAUTHORISED: ExitCode.unauthorised,
}

/** A write whose outcome nobody knows must not look like one that failed: that comes before whatever the reason was. */
export function exitCodeOf(error: Error): ExitCode {
  const { code, outcome } = error as Error & { readonly code?: unknown; readonly outcome?: unknown }
  if (code === 'CANCELLED') return ExitCode.interrupted
  if (outcome === 'unknown') return ExitCode.outcomeUnknown
  return (typeof code === 'string' ? BY_CODE[code] : undefined) ?? ExitCode.failure
}

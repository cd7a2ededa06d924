import type { Milliseconds } from '@lab/rpc'

/** A command or a query between its start and its end, whatever is tried meanwhile. */
export interface Call {
  readonly deadline: Milliseconds
  readonly timeout: Milliseconds
  readonly signal: AbortSignal | undefined
  attemptsLeft: number
  /** An attempt may have left the command in somebody's log. */
  unknown: boolean
  /** It is counted among the retried ones. */
  retried: boolean
}

import type { Milliseconds } from '@lab/rpc'

/**
 * What became of a call. `fail`: it certainly had no effect, now or later. `unknown`: it may have had one, or may yet: so ends
 * a write that timed out.
 */
export type Outcome = 'ok' | 'fail' | 'unknown'

/** One call of one client, from its beginning to its end. Times are of one clock, the same for all clients. */
export interface Operation<Op = unknown, Result = unknown> {
  /** Counts up from 1 in the order of the calls. */
  readonly id: number
  readonly client: string
  readonly op: Op
  readonly call: Milliseconds
  /** Infinity when `outcome` is unknown: the effect may come at any time. */
  readonly return: Milliseconds
  readonly outcome: Outcome
  /** Undefined unless `outcome` is ok. */
  readonly result: Result | undefined
}

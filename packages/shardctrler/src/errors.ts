/** Errors of the controller. Those of consensus (no leader, time ran out, outcome unknown) come as they are: `RaftError`. */
import type { Outcome } from '@lab/raft'

export type ControllerErrorCode =
  /** There is no such group. */
  | 'UNKNOWN_GID'
  /** There is such a group already. */
  | 'DUPLICATE_GID'
  /** A group's id is a whole number from 1 to 2^32 - 1. */
  | 'BAD_GID'
  /** A group needs servers: at least one, none twice. */
  | 'NO_SERVERS'
  /** An address of a server is none. */
  | 'BAD_SERVER'
  /** There is no shard of that number. */
  | 'BAD_SHARD'
  /** A weight is a whole number from 1 to 1000. */
  | 'BAD_WEIGHT'
  /** The configuration asked for is forgotten: every group has finished with it. See `firstNum`. */
  | 'COMPACTED'
  /** Nobody has said yet how many shards there are. */
  | 'NOT_CREATED'

export interface ControllerErrorOptions extends ErrorOptions {
  readonly outcome?: Outcome
  readonly firstNum?: number
}

/** What the controller refuses by rule. `code` is stable API; `message` names what was given. A refused change changed nothing. */
export class ControllerError extends Error {
  override readonly name = 'ControllerError'
  readonly code: ControllerErrorCode
  /** Set on a refused change. */
  readonly outcome: Outcome | undefined
  /** With `COMPACTED`: the oldest configuration that is still known. */
  readonly firstNum: number | undefined
  constructor(code: ControllerErrorCode, message: string, options: ControllerErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.code = code
    this.outcome = options.outcome
    this.firstNum = options.firstNum
  }
}

/** Errors of the sharded store. Those of keys and values are kvraft's `KvError`, those of consensus `RaftError`. */
import type { Outcome } from '@lab/raft'

export type ShardErrorCode =
  /** The transaction's keys are in several shards: give them one `{tag}`. Nothing was sent. */
  'CROSS_SHARD'

/** What the sharded store refuses by rule. `code` is stable API. */
export class ShardError extends Error {
  override readonly name = 'ShardError'
  readonly code: ShardErrorCode
  /** Set on a refused write. */
  readonly outcome: Outcome | undefined
  constructor(code: ShardErrorCode, message: string, outcome?: Outcome) {
    super(message)
    this.code = code
    this.outcome = outcome
  }
}

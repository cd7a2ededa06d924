/** Errors of the store. Those of consensus (no leader, time ran out, outcome unknown) come as they are: `RaftError`. */
import type { Outcome } from '@lab/raft'

export type KvErrorCode =
  /** The key has no byte or too many, or is text with half a character in it. Nothing was sent. */
  | 'BAD_KEY'
  /** The value is too large, or an append would make it so. Nothing was changed. */
  | 'TOO_LARGE'
  /** The value exists and is not text: read it as bytes. */
  | 'NOT_TEXT'

/** What the store refuses by rule. `code` is stable API; `message` names what was given and what is accepted. */
export class KvError extends Error {
  override readonly name = 'KvError'
  readonly code: KvErrorCode
  /** Set on a refused write. */
  readonly outcome: Outcome | undefined
  constructor(code: KvErrorCode, message: string, options: ErrorOptions & { outcome?: Outcome } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.code = code
    this.outcome = options.outcome
  }
}

/** Errors of the store. Those of consensus (no leader, time ran out, outcome unknown) come as they are: `RaftError`. */
import type { Outcome } from '@lab/raft'

export type KvErrorCode =
  /** The key has no byte or too many, or is text with half a character in it. Nothing was sent. */
  | 'BAD_KEY'
  /** The value is too large, or an append would make it so. Nothing was changed. */
  | 'TOO_LARGE'
  /** The value exists and is not text: read it as bytes. */
  | 'NOT_TEXT'
  /** A time to live is a whole number of milliseconds, from 1 on. Nothing was sent. */
  | 'BAD_TTL'
  /** The transaction has too many parts, or changes a key twice. Nothing was sent. */
  | 'BAD_TXN'
  /** A prefix beside bounds, or a limit that is none. Nothing was sent. */
  | 'BAD_RANGE'
  /** The changes that the watch asks for are forgotten: read the keys anew, and watch from there. */
  | 'COMPACTED'

export interface KvErrorOptions extends ErrorOptions {
  readonly outcome?: Outcome
  readonly firstRevision?: number
}

/** What the store refuses by rule. `code` is stable API; `message` names what was given and what is accepted. */
export class KvError extends Error {
  override readonly name = 'KvError'
  readonly code: KvErrorCode
  /** Set on a refused write. */
  readonly outcome: Outcome | undefined
  /** With `COMPACTED`: the oldest change that is still known. */
  readonly firstRevision: number | undefined
  /** What goes with the error over the wire. */
  readonly details: unknown
  constructor(code: KvErrorCode, message: string, options: KvErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.code = code
    this.outcome = options.outcome
    this.firstRevision = options.firstRevision
    this.details = options.firstRevision === undefined ? undefined : { firstRevision: options.firstRevision }
  }
}

/** What ends a call that went through several attempts. */
import { RaftError, type Outcome } from '../errors.ts'
import { cancelled, noAnswer, reasonOf } from './bounded.ts'
import type { Call } from './call.ts'

export function outcomeOf(call: Pick<Call, 'unknown'>): Outcome {
  return call.unknown ? 'unknown' : 'not-applied'
}

/** The last error, but once an attempt was unknown, unknown. */
export function withOutcome(error: RaftError, call: Call): RaftError {
  if (error.outcome === outcomeOf(call)) return error
  const { code, message, leaderHint, remoteCode } = error
  return new RaftError(code, message, { outcome: outcomeOf(call), leaderHint, remoteCode, cause: error })
}

export function timedOut(last: RaftError, call: Call): RaftError {
  return new RaftError('TIMEOUT', noAnswer('no answer', call.timeout, last), {
    outcome: outcomeOf(call),
    leaderHint: last.leaderHint,
    cause: last,
  })
}

/** A time that ran out while others were at work says nothing of what they met. */
export function withReason(error: unknown, last: RaftError | null): unknown {
  if (last === null || !(error instanceof RaftError) || error.code !== 'TIMEOUT') return error
  if (reasonOf(error) !== error.message) return error
  return new RaftError('TIMEOUT', `${error.message}; last: ${reasonOf(last)}`, { cause: error })
}

/** Opening a session failed: whatever that says of itself, the command was never sent. */
export function notSent(thrown: unknown, call: Call): unknown {
  if (!(thrown instanceof RaftError)) return thrown
  if (call.signal?.aborted === true) return cancelled(call.signal, 'not-applied')
  return new RaftError(thrown.code, thrown.message, {
    outcome: 'not-applied',
    leaderHint: thrown.leaderHint,
    cause: thrown,
  })
}

export function expired(): RaftError {
  return new RaftError(
    'SESSION_EXPIRED',
    'the cluster has forgotten this client: whether an earlier attempt was applied is not known',
    { outcome: 'unknown' },
  )
}

/** Of what changes nothing. */
export function withoutOutcome(thrown: unknown): never {
  if (!(thrown instanceof RaftError)) throw thrown
  const { code, message, leaderHint, remoteCode, cause } = thrown
  throw new RaftError(code, message, { leaderHint, remoteCode, cause })
}

import { RaftError, type Outcome } from '../errors.ts'
import { StorageError } from '../storage.ts'

/** Why the core, or a bound of the driver, takes no proposal now. */
export type NotProposed = 'not-leader' | 'busy' | 'transferring'

/** Nothing was appended. */
export function notProposed(why: NotProposed): RaftError {
  if (why === 'not-leader')
    return new RaftError('NOT_LEADER', 'this server does not lead', { outcome: 'not-applied' })
  const message = why === 'busy' ? 'too many proposals wait here' : 'leadership is being handed over'
  return new RaftError('BUSY', `${message}: come back later`, { outcome: 'not-applied' })
}

/** What stops a server for good: its storage, or a bug. */
export function stoppedBy(cause: Error): RaftError {
  const code = cause instanceof StorageError ? 'STORAGE_FAILED' : 'INTERNAL'
  return new RaftError(code, `this server has stopped: ${cause.message}`, { cause })
}

/** The same error, for a write. */
export function withOutcome({ code, message, cause }: RaftError, outcome: Outcome): RaftError {
  return new RaftError(code, message, { cause, outcome })
}

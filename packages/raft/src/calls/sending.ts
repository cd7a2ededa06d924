import type { Milliseconds } from '@lab/rpc'
import type { RaftError } from '../errors.ts'
import type { Attempt, AttemptOptions } from './route.ts'

/** A command or a query on its way to a server, once. It is told once how that ended, at the earliest while it is being sent. */
export interface Sending {
  readonly body: Uint8Array
  readonly timeout: Milliseconds
  readonly signal?: AbortSignal | undefined
  answered(reply: Uint8Array): void
  /**
   * @param error its outcome says whether the command may be in somebody's log all the same
   * @param redirected the refusal named a server that can be asked at once
   */
  failed(error: RaftError, redirected: boolean): void
}

/** A sending as a promise, for those that are few. Never rejects. */
export function attempt(
  send: (sending: Sending) => void,
  body: Uint8Array,
  { timeout, signal }: AttemptOptions,
): Promise<Attempt> {
  return new Promise((resolve) => {
    send({
      body,
      timeout,
      signal,
      answered: (reply) => resolve({ ok: true, reply }),
      failed: (error, redirected) => resolve({ ok: false, error, redirected }),
    })
  })
}

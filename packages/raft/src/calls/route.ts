import type { Milliseconds } from '@lab/rpc'
import type { RaftError } from '../errors.ts'
import type { Sending } from './sending.ts'

/** What one attempt to have a command applied came to. */
export type Attempt =
  /** See rsm/reply.ts. */
  | { readonly ok: true; readonly reply: Uint8Array }
  /**
   * `error.outcome` says whether the command may be in somebody's log all the same. `redirected`: the refusal named a server that can
   * be asked at once.
   */
  | { readonly ok: false; readonly error: RaftError; readonly redirected?: boolean }

export interface AttemptOptions {
  readonly timeout: Milliseconds
  readonly signal?: AbortSignal | undefined
}

/** A way to whoever leads: from a member by itself or one hop, from a client over the network. Sends each payload once. */
export interface Route {
  /** Puts an envelope to the server that seems to lead. */
  send(sending: Sending): void
  /** Has a session opened for `clientId`. Never rejects. */
  openSession(clientId: Uint8Array, options: AttemptOptions): Promise<Attempt>
  /** Resolves when somebody new seems to lead, or after `delay`. */
  changed(delay: Milliseconds): Promise<void>
}

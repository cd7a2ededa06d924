/** Errors of Raft. `code` is stable API; `message` is for people and says what to do. */
import type { NodeId } from './types.ts'

export type RaftErrorCode =
  /** This server does not lead, see `leaderHint`. Nothing was appended. */
  | 'NOT_LEADER'
  /** Appended by a leader that lost its office before the entry committed: it may still commit. */
  | 'LEADERSHIP_LOST'
  /** Too many proposals wait: nothing was appended, come back later. */
  | 'BUSY'
  /** A lease read where the cluster's configuration has leases off. */
  | 'LEASES_OFF'
  /** The time given ran out. */
  | 'TIMEOUT'
  /** The caller's signal aborted. */
  | 'CANCELLED'
  /** The node or the client was closed. */
  | 'CLOSED'
  /** No server could be reached, or none of them knows a leader. */
  | 'UNAVAILABLE'
  /** The cluster forgot this client's session (idle too long, or too many clients): what an earlier attempt did is not known. */
  | 'SESSION_EXPIRED'
  /** The state machine threw: the same on every replica. `remoteCode` is the thrown error's own code. */
  | 'COMMAND_FAILED'
  /** The command or the query is larger than the limit. */
  | 'TOO_LARGE'
  /** The configuration has changed since it was looked at: look again. */
  | 'CONFLICT'
  /** A server to be added did not receive the log in time: nothing has changed. */
  | 'NOT_CAUGHT_UP'
  /** Nobody took over leadership: who led goes on leading. */
  | 'NOT_TRANSFERRED'
  /** An option or an argument is not acceptable. */
  | 'BAD_REQUEST'
  /** This node's data were lost while its id lived on: the others know an older incarnation of it. */
  | 'WIPED'
  /** The other side belongs to another cluster. */
  | 'WRONG_CLUSTER'
  /** The other side does not count this node among its members; or no such server answers where it is said to be. */
  | 'UNKNOWN_NODE'
  /** Token or role does not allow this. */
  | 'UNAUTHORISED'
  /** The disk refused or lied: this node has stopped for good. `cause` is the storage's error. */
  | 'STORAGE_FAILED'
  /** The state machine broke its contract where only stopping is safe: see `cause`. */
  | 'STATE_MACHINE_FAILED'
  /** A bug of ours: this node has stopped rather than go on wrongly. */
  | 'INTERNAL'

/** What a write that failed did: certainly nothing, or nobody knows. A retry of an unknown one may take effect twice. */
export type Outcome = 'not-applied' | 'unknown'

/** Who leads, as far as the server that answered knows. */
export interface LeaderHint {
  readonly id: NodeId
  /** Everything that it advertises. */
  readonly addresses: readonly string[]
}

export interface RaftErrorOptions extends ErrorOptions {
  readonly outcome?: Outcome | undefined
  readonly leaderHint?: LeaderHint | undefined
  readonly remoteCode?: string | undefined
}

/** A proposal, a read or a node that ended otherwise than it should. */
export class RaftError extends Error {
  override readonly name = 'RaftError'
  readonly code: RaftErrorCode
  /** Set on every failed write. */
  readonly outcome: Outcome | undefined
  /** With `NOT_LEADER`, when somebody is known to lead. */
  readonly leaderHint: LeaderHint | undefined
  /** With `COMMAND_FAILED`: the `code` of what the state machine threw, if it had one. */
  readonly remoteCode: string | undefined
  constructor(code: RaftErrorCode, message: string, options: RaftErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.code = code
    this.outcome = options.outcome
    this.leaderHint = options.leaderHint
    this.remoteCode = options.remoteCode
  }
}

/** Refuses an option or argument: what was given, and what is accepted. */
export function badRequest(message: string, options?: RaftErrorOptions): RaftError {
  return new RaftError('BAD_REQUEST', message, options)
}

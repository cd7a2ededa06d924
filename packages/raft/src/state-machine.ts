/**
 * What is replicated: a deterministic machine. The same commands in the same order give the same state and the same
 * results on every server: no clock, no randomness, no iteration order that differs. `checkStateMachine` (from
 * `@lab/raft/testing`) looks for violations.
 */
import type { Index, Term } from './types.ts'

/**
 * @typeParam C command @typeParam R result @typeParam Q query, for reads from processes that are no members
 */
export interface StateMachine<C = unknown, R = unknown, Q = never, A = unknown> {
  /**
   * Applies one committed command. A refusal by a rule is a returned value. A throw becomes this command's error result on
   * every replica: it must be as deterministic as a result, and must leave the state as it was.
   */
  apply(command: C, context: ApplyContext): R
  /** Answers a query without changing anything; only for machines that are read through `RaftClient`. */
  query?(query: Q): A
  /**
   * The whole state as chunks of at most some 64 KB. Called between two commands; what it yields must be the state of that
   * moment although `apply` goes on meanwhile. A chunk is good until the next is drawn: its memory may be used for that one.
   */
  snapshot?(): Iterable<Uint8Array> | AsyncIterable<Uint8Array>
  /**
   * Replaces the state by a snapshot's: builds it aside, then swaps. Chunk borders need not be the ones `snapshot` yielded, and the
   * chunks are the machine's own: it may keep them and change them. They may stand in a SharedArrayBuffer, which few interfaces of the
   * web refuse (`crypto.subtle.digest` does): hand those a `slice()`.
   */
  restore?(chunks: AsyncIterable<Uint8Array>): Promise<void> | void
  /** Of the whole state; when there, replicas compare it at snapshots. */
  hash?(): number
}

export interface ApplyContext {
  readonly index: Index
  readonly term: Term
  /** The leader's clock carried in the log, milliseconds since 1970; never decreases. The only clock a machine may use. */
  readonly time: number
}

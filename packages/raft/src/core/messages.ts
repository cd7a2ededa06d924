/** What servers say to each other (Figure 2, §7), as values. wire.ts turns them into bytes. The sender is the channel's. */
import type { Entry } from '../entry.ts'
import type { Index, NodeId, SnapshotMeta, Term } from '../types.ts'

export type Message =
  | RequestVote
  | RequestVoteReply
  | AppendEntries
  | AppendEntriesReply
  | InstallSnapshot
  | InstallSnapshotReply
  | TimeoutNow

export interface RequestVote {
  readonly type: 'RequestVote'
  /** The candidate's term; with `preVote` (thesis §9.6) the term that it *would* campaign in. */
  readonly term: Term
  readonly preVote: boolean
  readonly lastLogIndex: Index
  readonly lastLogTerm: Term
  /** The old leader asked for this election (thesis §3.10): stickiness does not apply. */
  readonly transfer: boolean
}

export interface RequestVoteReply {
  readonly type: 'RequestVoteReply'
  /** The voter's term; for a granted pre-vote the term asked for. */
  readonly term: Term
  readonly preVote: boolean
  readonly voteGranted: boolean
}

/** With no entries: a heartbeat. */
export interface AppendEntries {
  readonly type: 'AppendEntries'
  readonly term: Term
  readonly prevLogIndex: Index
  readonly prevLogTerm: Term
  readonly entries: readonly Entry[]
  readonly leaderCommit: Index
  /** Echoed by the reply: proves leadership after the moment the round began (ReadIndex, CheckQuorum, leases). Monotone per leader and term. */
  readonly round: number
}

export interface AppendEntriesReply {
  readonly type: 'AppendEntriesReply'
  readonly term: Term
  readonly success: boolean
  /** The request's, so that the leader can tell an answer that it has outlived. On success the follower's log, durable or not, holds that entry. */
  readonly prevLogIndex: Index
  /** On success: the follower's log equals the leader's up to here, durably. */
  readonly matchIndex: Index
  /** On failure (§5.3, fast backtracking): the first index of `conflictTerm`, or the follower's last index + 1. */
  readonly conflictIndex: Index
  /** The term of the follower's entry at prevLogIndex; 0 when its log is shorter. */
  readonly conflictTerm: Term
  readonly round: number
}

/** One chunk. Chunks of one snapshot go in order, each after the reply to the one before. */
export interface InstallSnapshot {
  readonly type: 'InstallSnapshot'
  readonly term: Term
  readonly snapshot: SnapshotMeta
  /** Of the whole snapshot: bytes and crc32. */
  readonly size: number
  readonly crc: number
  readonly offset: number
  readonly data: Uint8Array
  readonly done: boolean
  readonly round: number
}

export interface InstallSnapshotReply {
  readonly type: 'InstallSnapshotReply'
  readonly term: Term
  /** Which snapshot this is about. */
  readonly index: Index
  /** What the follower has of it, in bytes: where the next chunk begins. */
  readonly offset: number
  /** The follower's state now includes everything up to `index`, durably. */
  readonly installed: boolean
  readonly round: number
}

/** Tells the chosen successor to campaign at once (thesis §3.10). */
export interface TimeoutNow {
  readonly type: 'TimeoutNow'
  readonly term: Term
}

export interface Envelope {
  readonly to: NodeId
  readonly message: Message
  /** What the trace calls the input that this came of; see `Raft.because`. */
  readonly cause?: number
}

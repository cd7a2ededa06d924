/**
 * The border of the pure core. In go inputs, each with the time; out comes {@link Ready}: work for the driver, in an order
 * that makes acknowledging before durable impossible to write by accident. Same inputs, same outputs, always.
 *
 *     step(input, now) ─┐                    ┌─ sendNow            leave at once
 *     propose(…)       ─┼─▶  Raft  ─▶ Ready ─┼─ write ─▶ disk ─▶ sendWhenDurable, then step({ persisted })
 *     readIndex(…)     ─┘                    ├─ committed, reads   to the applier
 *                                            └─ deadline           when to step({ deadline }) if nothing else happens
 */
import type { Entry } from '../entry.ts'
import type { HardState, Index, Membership, NodeId, Role, SnapshotMeta, Term } from '../types.ts'
import type { Claim } from './hosts.ts'
import type { Envelope, Message } from './messages.ts'

/** One thing that happened to this server. The core itself reads no clock, socket or disk. */
export type Input =
  /** The time that `Ready.deadline` named has come. The driver drains its inbox first (RAFT trap: a stalled loop must not believe its timer before its mail). */
  | { readonly type: 'deadline' }
  | { readonly type: 'message'; readonly from: NodeId; readonly message: Message }
  /** `Ready.write` is durable: own vote and own entries count from here, not before. */
  | { readonly type: 'persisted'; readonly write: number }
  /** What `Ready.fetches` asked for; empty when compacted away meanwhile. */
  | { readonly type: 'fetched'; readonly to: NodeId; readonly entries: readonly Entry[] }
  /** What `Ready.snapshotReads` asked for. */
  | { readonly type: 'snapshotRead'; readonly to: NodeId; readonly chunk: SnapshotChunk | null }
  /** `Ready.snapshotWrite` is on disk aside; with `done` committed and restored into the state machine. `ok: false`: it was damaged, ask again. */
  | {
      readonly type: 'snapshotWritten'
      readonly index: Index
      readonly offset: number
      readonly done: boolean
      readonly ok: boolean
    }
  /** The state machine has applied up to here. */
  | { readonly type: 'applied'; readonly index: Index }
  /** The driver made a snapshot of its own; entries up to `compactTo` (≤ meta.index, a trailing log is kept) are no longer readable. */
  | { readonly type: 'compacted'; readonly meta: SnapshotMeta; readonly compactTo: Index }
  /** There is no channel to a peer: what was in flight may be lost. `broke`: until now there was one, and its process is probably gone. */
  | { readonly type: 'unreachable'; readonly peer: NodeId; readonly broke?: boolean }
  /** The process of a member beats and runs this group: see hosts.ts. Told when any of it changes. */
  | {
      readonly type: 'hostAlive'
      readonly peer: NodeId
      readonly claim: Claim
      readonly fresh: boolean
    }
  /** It was last heard at `heardAt`, or does not run this group; campaign `stagger` later than usual. */
  | {
      readonly type: 'hostSilent'
      readonly peer: NodeId
      readonly heardAt: number
      readonly stagger: number
    }
  /** The leader should hand over (thesis §3.10) to `to`, or to whoever has most of the log. */
  | { readonly type: 'transfer'; readonly to: NodeId | null }
  /** The leader should leave office, whether or not somebody can take over. */
  | { readonly type: 'stepDown' }

export interface SnapshotChunk {
  readonly meta: SnapshotMeta
  readonly size: number
  readonly crc: number
  readonly offset: number
  readonly data: Uint8Array
  readonly done: boolean
}

/** Work for the driver, in the order of the fields. */
export interface Ready {
  /** Leave at once: a leader's AppendEntries overlap its own disk write (thesis §10.2.1). */
  readonly sendNow: readonly Envelope[]
  /** Term, vote and entries; at most one write is in flight, the next comes after `persisted`. */
  readonly write: Write | null
  /** Votes and acknowledgements are promises: held until `write` is on disk (§5, thesis §3.8); empty without one. */
  readonly sendWhenDurable: readonly Envelope[]
  /** In index order, each handed out once per run, durable here too. Entries no longer in memory come as `CommittedRange`. */
  readonly committed: readonly Entry[]
  /** Committed and durable, but to be read back from storage before `committed` (after a restart): both included; null when none. */
  readonly committedOnDisk: { readonly first: Index; readonly last: Index } | null
  /** Answers to `readIndex`: the state machine may answer once it has applied `index` (thesis §6.4). */
  readonly reads: readonly ReadAnswer[]
  /** Log entries wanted from storage for a follower that is far behind. One per follower at a time. */
  readonly fetches: readonly Fetch[]
  /** The next chunk of the newest snapshot wanted for a follower. One per follower at a time. */
  readonly snapshotReads: readonly {
    readonly to: NodeId
    readonly index: Index
    readonly offset: number
    readonly bytesMax: number
  }[]
  /** A chunk to be written aside; `offset` 0 begins a new one. With `done` it is to be committed and restored before `snapshotWritten`. */
  readonly snapshotWrite: SnapshotChunk | null
  /** In the order in which they happened; the driver tells its listeners. */
  readonly changes: readonly Change[]
  /** When to come back if nothing else happens, on the clock of `now`; Infinity for never. */
  readonly deadline: number
}

export interface Write {
  /** Counts up; given back in `persisted`. */
  readonly id: number
  readonly hardState: HardState | null
  readonly entries: readonly Entry[]
}

export interface Fetch {
  readonly to: NodeId
  readonly first: Index
  readonly last: Index
  readonly bytesMax: number
}

export type ReadAnswer =
  | { readonly id: number; readonly index: Index }
  /** Leadership was lost before it could be confirmed: ask the leader. */
  | { readonly id: number; readonly index: null }

/** What an observer of this server sees change. */
export type Change = AnyChange & {
  /** What the trace calls the input that this came of; see `Raft.because`. */
  readonly cause?: number
}

type AnyChange =
  | {
      readonly type: 'role'
      readonly role: Role
      readonly term: Term
      readonly leader: NodeId | null
      readonly why: string
    }
  | { readonly type: 'membership'; readonly membership: Membership; readonly index: Index }
  /** The change that `changeMembership` took is committed; or, with `failure`, the configuration is again what it was. */
  | { readonly type: 'reconfigured'; readonly membership: Membership; readonly failure: string | null }
  | {
      readonly type: 'refused'
      readonly to: NodeId
      readonly what: string
      readonly term: Term
      readonly why: string
    }
  /** Entries from here to the old end were replaced: proposals that waited for them will never commit at that index in that term. */
  | { readonly type: 'truncated'; readonly from: Index; readonly why: string }
  | { readonly type: 'committed'; readonly index: Index }

/** The answer to `propose`: where the entry stands, or why nothing was appended. */
export type Proposed =
  | { readonly ok: true; readonly index: Index; readonly term: Term }
  /** `not-leader`: nothing was appended, see `leader`. `busy`: too many bytes uncommitted. `transferring`: somebody else is about to lead. */
  | {
      readonly ok: false
      readonly why: 'not-leader' | 'busy' | 'transferring'
      readonly leader: NodeId | null
    }

/** What anybody may look at, a copy. */
export interface CoreStatus {
  readonly id: NodeId
  readonly role: Role
  readonly currentTerm: Term
  readonly votedFor: NodeId
  readonly leader: NodeId | null
  readonly commitIndex: Index
  /** The last entry that the driver reported applied. */
  readonly appliedIndex: Index
  /** The last entry known durable here. */
  readonly durableIndex: Index
  readonly lastIndex: Index
  readonly snapshotIndex: Index
  /** Of entries kept in memory, and of those the ones that this leader appended and that are not committed. */
  readonly memoryBytes: number
  readonly uncommittedBytes: number
  readonly membership: Membership
  /** On the leader: each follower as it sees it. */
  readonly followers: Readonly<
    Record<
      NodeId,
      {
        readonly matchIndex: Index
        readonly nextIndex: Index
        readonly state: 'probe' | 'replicate' | 'snapshot'
        readonly inflightBytes: number
        /** From entries sent to entries durable there, last measured; null before the first. */
        readonly roundTripMs: number | null
      }
    >
  >
}

export interface CoreOptions {
  readonly id: NodeId
  /** Stands in the records of its entries. Default 0. */
  readonly group?: number
  /** Its process beats for all its groups: `hostAlive` and `hostSilent` are told. Default false. */
  readonly beats?: boolean
  /** Uniform in [0, 1). */
  readonly random: () => number
  /** What storage recovered, or an empty log. */
  readonly hardState: HardState
  readonly snapshot: SnapshotMeta | null
  readonly firstIndex: Index
  readonly lastIndex: Index
  readonly terms: readonly { readonly first: Index; readonly term: Term }[]
  readonly configurations: readonly Entry[]
  readonly lastTime: number
  /** In force when neither snapshot nor log holds a configuration: the bootstrap members. Null for a server that was, or waits to be, added. */
  readonly bootstrap: Membership | null
  /** Of its data folder: by it a server knows which configurations mean it, and not one before it of the same id. */
  readonly incarnation?: string
  /** Time of start, on the clock of `now`. */
  readonly now: number
  readonly timing: Timing
  readonly limits?: Partial<CoreLimits>
}

/** heartbeatMs ≪ electionTimeoutMsMin ≤ electionTimeoutMsMax (§5.6). */
export interface Timing {
  readonly heartbeatMs: number
  readonly electionTimeoutMsMin: number
  readonly electionTimeoutMsMax: number
}

/** Defaults stand in raft.ts. */
export interface CoreLimits {
  /** Of entries in one AppendEntries (one larger entry still goes, alone). */
  readonly appendBytesMax: number
  /** Sent and not acknowledged, per follower. */
  readonly inflightBytesMax: number
  /** AppendEntries sent and not acknowledged, per follower. */
  readonly inflightMessagesMax: number
  /** Of entries in one write (one larger entry still goes, alone): a server whose disk takes long over one is taken for stuck. */
  readonly writeBytesMax: number
  /** Appended by this leader and not committed: then `propose` answers busy. */
  readonly uncommittedBytesMax: number
  /**
   * Recent entries kept in memory for followers that lack them, at most 1 MiB once none does; older ones are read back from storage. Entries not
   * yet durable or not yet handed out are kept besides.
   */
  readonly cacheBytesMax: number
  /**
   * The same, in entries. Followers that keep up need the latest few; what lives for longer than a young collection or two is
   * copied to the old generation, and dies there.
   */
  readonly cacheEntriesMax: number
  readonly snapshotChunkBytes: number
}

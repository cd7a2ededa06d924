/** Words that everything in this package uses, as in the paper. */

/** A server's stable name: letters, digits, `.`, `_`, `-`; 1 to 64 of them. An address is never an identity. */
export type NodeId = string

/** An election's number, from 1; 0 before the first. */
export type Term = number

/** A position in the log, from 1; 0 means none. Stays below 2^53: decoders check. */
export type Index = number

export type Role = 'follower' | 'candidate' | 'leader'

/** What a server must never forget (Figure 2, persistent state), besides its log. */
export interface HardState {
  readonly currentTerm: Term
  /** Who got this server's vote in `currentTerm`; '' for nobody. */
  readonly votedFor: NodeId
}

/**
 * Who takes part. While `votersOutgoing` is not empty the configuration is joint (§6): elections and commitment need a
 * majority of `voters` and one of `votersOutgoing`.
 */
export interface Membership {
  readonly voters: readonly NodeId[]
  readonly votersOutgoing: readonly NodeId[]
  /** Receive the log, have no vote. */
  readonly learners: readonly NodeId[]
  /** Where each member is reached: the addresses that it advertises. */
  readonly addresses: Readonly<Record<NodeId, readonly string[]>>
  /** Where this configuration stands in the log; 0 for the bootstrap configuration. */
  readonly index: Index
  /**
   * The incarnation of each member that was added later: its data folder's. Members of the bootstrap are not named. A server that
   * was removed and comes back with an empty disk is another, and must be added again.
   */
  readonly incarnations: Readonly<Record<NodeId, string>>
  /** Lease reads allowed in this cluster: then a restarted node grants no vote for one maximum election timeout. */
  readonly leases: boolean
}

/** What a snapshot stands for: the whole log up to and including `index`. */
export interface SnapshotMeta {
  /** §7 lastIncludedIndex */
  readonly index: Index
  /** §7 lastIncludedTerm */
  readonly term: Term
  /** The configuration in force at `index`, encoded as in a configuration entry. */
  readonly membership: Uint8Array
}

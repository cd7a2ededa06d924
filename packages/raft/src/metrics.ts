import type { Counters } from './driver/counters.ts'
import type { Driver } from './driver/driver.ts'
import type { Distribution } from './driver/histogram.ts'
import type { RequestDurations } from './driver/request-meter.ts'
import type { Index, NodeId, Role, Term } from './types.ts'

/** One follower, as the leader sees it. */
export interface PeerMetrics {
  readonly matchIndex: Index
  /** `snapshot`: it is being sent one. */
  readonly state: 'probe' | 'replicate' | 'snapshot'
  /** Sent and not acknowledged. */
  readonly inflightBytes: number
  /** From entries sent to entries durable there, in milliseconds, last measured; null before the first. */
  readonly roundTripMs: number | null
}

/** Counts since the start, see {@link Counters}, and what is so now. */
export interface NodeMetrics extends Counters {
  readonly term: Term
  readonly role: Role
  readonly hasLeader: boolean
  readonly commitIndex: Index
  readonly appliedIndex: Index
  readonly lastIndex: Index
  readonly snapshotIndex: Index
  /** Proposals that wait at this node, and their bytes. */
  readonly pendingProposals: number
  readonly pendingProposalBytes: number
  /** Of the log, kept in memory; and of what this leader appended, not yet committed. */
  readonly logBytes: number
  readonly uncommittedBytes: number
  /** Channels accepted and open. */
  readonly connections: number
  /** How long writes took to become durable, and own snapshots to be made. */
  readonly syncMs: Distribution
  readonly snapshotMs: Distribution
  /** Commands proposed here, and queries of clients, that have ended. */
  readonly requests: readonly RequestDurations[]
  /** On the leader: its followers. */
  readonly peers: Readonly<Record<NodeId, PeerMetrics>>
}

export function metricsOf(driver: Driver, connections: number): NodeMetrics {
  const { counters, meter, pending, status, lastApplied } = driver
  const peers: Record<NodeId, PeerMetrics> = {}
  for (const [id, { matchIndex, state, inflightBytes, roundTripMs }] of Object.entries(status.followers))
    peers[id] = { matchIndex, state, inflightBytes, roundTripMs }
  return {
    ...counters,
    term: status.currentTerm,
    role: status.role,
    hasLeader: status.leader !== null,
    commitIndex: status.commitIndex,
    appliedIndex: lastApplied,
    lastIndex: status.lastIndex,
    snapshotIndex: status.snapshotIndex,
    pendingProposals: pending.count,
    pendingProposalBytes: pending.bytes,
    logBytes: status.memoryBytes,
    uncommittedBytes: status.uncommittedBytes,
    connections,
    syncMs: meter.syncMs.snapshot(),
    snapshotMs: meter.snapshotMs.snapshot(),
    requests: meter.requests.snapshot(),
    peers,
  }
}

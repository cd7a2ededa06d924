/** What one server has done since it started; all only grow. */
export interface Counters {
  /** Commands that this server appended as leader. */
  proposals: number
  /** Commands refused with BUSY. */
  refusedBusy: number
  /** Commands that this server took and that ended otherwise than applied: refused, or its office was lost. */
  proposalsFailed: number
  /** Entries known to be committed here. */
  commits: number
  /** Entries applied here, those that are no commands included. */
  applied: number
  /** Times that this server stood for election. */
  campaigns: number
  /** Times that it won. */
  elections: number
  /** Times that this server learned of another leader. */
  leaderChanges: number
  /** Writes made durable. */
  syncs: number
  /** Of entries, made durable. */
  syncedBytes: number
  messagesSent: number
  messagesReceived: number
  /** Of messages to and from members. */
  bytesSent: number
  bytesReceived: number
  snapshotsTaken: number
  /** Of state, in snapshots taken. */
  snapshotBytes: number
  snapshotsInstalled: number
  /** Times that the event loop stood still, and for how long altogether. */
  stalls: number
  stallMs: number
}

export function makeCounters(): Counters {
  return {
    proposals: 0,
    refusedBusy: 0,
    proposalsFailed: 0,
    commits: 0,
    applied: 0,
    campaigns: 0,
    elections: 0,
    leaderChanges: 0,
    syncs: 0,
    syncedBytes: 0,
    messagesSent: 0,
    messagesReceived: 0,
    bytesSent: 0,
    bytesReceived: 0,
    snapshotsTaken: 0,
    snapshotBytes: 0,
    snapshotsInstalled: 0,
    stalls: 0,
    stallMs: 0,
  }
}

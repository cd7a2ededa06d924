/** What a server measures, under the names that operators of etcd know, with our prefix. Base units: seconds and bytes. */
import { operationDurations } from '@lab/kvraft'
import type { NodeMetrics } from '@lab/raft'
import type { ServerMetrics } from '@lab/rpc'
import type { HostedGroup } from '../hosted.ts'
import type { Buckets, Family, Labels } from './prometheus.ts'

type Read<T> = (of: T) => number

const flag = (holds: boolean): number => (holds ? 1 : 0)

const COUNTERS: readonly (readonly [string, string, Read<NodeMetrics>])[] = [
  [
    'raft_leader_changes_seen_total',
    'Times that this server learned of another leader.',
    (m) => m.leaderChanges,
  ],
  ['raft_campaigns_total', 'Times that this server stood for election.', (m) => m.campaigns],
  ['raft_elections_won_total', 'Times that it won.', (m) => m.elections],
  ['raft_proposals_total', 'Commands that this server appended as leader.', (m) => m.proposals],
  ['raft_proposals_committed_total', 'Entries known to be committed here.', (m) => m.commits],
  ['raft_proposals_applied_total', 'Entries applied here.', (m) => m.applied],
  ['raft_proposals_failed_total', 'Commands that ended otherwise than applied.', (m) => m.proposalsFailed],
  ['raft_proposals_refused_busy_total', 'Commands refused because too many wait.', (m) => m.refusedBusy],
  ['raft_wal_write_bytes_total', 'Bytes of entries made durable.', (m) => m.syncedBytes],
  ['raft_messages_sent_total', 'Messages to members.', (m) => m.messagesSent],
  ['raft_messages_received_total', 'Messages from members.', (m) => m.messagesReceived],
  ['rpc_peer_sent_bytes_total', 'Bytes of messages to members.', (m) => m.bytesSent],
  ['rpc_peer_received_bytes_total', 'Bytes of messages from members.', (m) => m.bytesReceived],
  ['raft_snapshots_taken_total', 'Snapshots made here.', (m) => m.snapshotsTaken],
  [
    'raft_snapshots_installed_total',
    "Snapshots received that took the state's place.",
    (m) => m.snapshotsInstalled,
  ],
  ['raft_stalls_total', 'Times that the event loop stood still for long.', (m) => m.stalls],
  ['raft_stall_seconds_total', 'How long altogether.', (m) => m.stallMs / 1000],
]

const GAUGES: readonly (readonly [string, string, Read<NodeMetrics>])[] = [
  ['raft_has_leader', 'Somebody is known to lead.', (m) => flag(m.hasLeader)],
  ['raft_is_leader', 'This server leads.', (m) => flag(m.role === 'leader')],
  ['raft_term', 'The current term.', (m) => m.term],
  ['raft_commit_index', 'The newest entry known to be committed.', (m) => m.commitIndex],
  ['raft_applied_index', 'The newest entry applied.', (m) => m.appliedIndex],
  ['raft_last_index', 'The newest entry in the log.', (m) => m.lastIndex],
  ['raft_snapshot_index', 'What the newest snapshot holds.', (m) => m.snapshotIndex],
  ['raft_proposals_pending', 'Commands that wait here.', (m) => m.pendingProposals],
  ['raft_proposals_pending_bytes', 'Their bytes.', (m) => m.pendingProposalBytes],
  ['raft_log_memory_bytes', 'Bytes of the log kept in memory.', (m) => m.logBytes],
]

const RPC_COUNTERS: readonly (readonly [string, string, Read<ServerMetrics>])[] = [
  ['rpc_connections_accepted_total', 'Connections accepted.', (m) => m.accepted],
  ['rpc_connections_refused_total', 'Connections refused in their handshake.', (m) => m.refused],
  ['rpc_calls_total', 'Calls answered.', (m) => m.calls],
  ['rpc_streams_total', 'Streams opened.', (m) => m.streams],
  ['rpc_handler_failures_total', 'Handlers that threw.', (m) => m.failures],
  ['rpc_slow_peers_total', 'Connections dropped because the other end did not read.', (m) => m.slowPeers],
  [
    'rpc_protocol_errors_total',
    'Connections dropped because of bytes that make no sense.',
    (m) => m.protocolErrors,
  ],
]

const RPC_GAUGES: readonly (readonly [string, string, Read<ServerMetrics>])[] = [
  ['rpc_connections', 'Connections open.', (m) => m.connections],
  ['rpc_calls_in_flight', 'Calls and streams that have not ended.', (m) => m.inFlight],
  ['rpc_buffered_bytes', 'Bytes that connections have not taken yet.', (m) => m.bufferedBytes],
]

export function familiesOf(groups: readonly HostedGroup[], rpc: ServerMetrics): Family[] {
  const measured = groups.map(({ name, node }) => ({ labels: { group: name }, metrics: node.metrics() }))
  const one = [{ labels: {}, metrics: rpc }]
  return [
    ...simple(COUNTERS, 'counter', measured),
    ...simple(GAUGES, 'gauge', measured),
    ...distributions(measured),
    ...peerFamilies(measured),
    requestFamily(groups),
    ...simple(RPC_COUNTERS, 'counter', one),
    ...simple(RPC_GAUGES, 'gauge', one),
  ]
}

interface Measured<T> {
  readonly labels: Labels
  readonly metrics: T
}

function simple<T>(
  rows: readonly (readonly [string, string, Read<T>])[],
  type: 'counter' | 'gauge',
  measured: readonly Measured<T>[],
): Family[] {
  return rows.map(([name, help, read]) => ({
    ...{ name: `lab_${name}`, help, type },
    samples: measured.map(({ labels, metrics }) => ({ labels, value: read(metrics) })),
  }))
}

function distributions(measured: readonly Measured<NodeMetrics>[]): Family[] {
  const family = (name: string, help: string, read: (of: NodeMetrics) => NodeMetrics['syncMs']): Family => ({
    ...{ name: `lab_${name}`, help, type: 'histogram' },
    samples: measured.map(({ labels, metrics }) => ({ labels, value: inSeconds(read(metrics)) })),
  })
  return [
    family(
      'raft_wal_fsync_duration_seconds',
      'How long writes of the log took to be durable.',
      (m) => m.syncMs,
    ),
    family('raft_snapshot_save_duration_seconds', 'How long snapshots took to be made.', (m) => m.snapshotMs),
  ]
}

function inSeconds({ bounds, counts, count, sum }: NodeMetrics['syncMs']): Buckets {
  return { bounds: bounds.map((ms) => ms / 1000), counts, count, sum: sum / 1000 }
}

/** Of those that answer, mostly the leader: what clients asked for, and for how long it waited here. */
function requestFamily(groups: readonly HostedGroup[]): Family {
  return {
    name: 'lab_kv_request_duration_seconds',
    help: 'How long requests took in this server, by operation and outcome.',
    type: 'histogram',
    samples: groups.flatMap(({ name, node, operations }) =>
      (operations === undefined ? [] : operationDurations(node.metrics(), operations)).map(
        ({ operation, outcome, ms }) => ({
          labels: { group: name, op: operation, outcome: outcome.toLowerCase() },
          value: inSeconds(ms),
        }),
      ),
    ),
  }
}

/** Of the leader alone: what it knows of its followers. */
function peerFamilies(measured: readonly Measured<NodeMetrics>[]): Family[] {
  const of = (read: (peer: NodeMetrics['peers'][string]) => number | null): Family['samples'] =>
    measured.flatMap(({ labels, metrics }) =>
      Object.entries(metrics.peers).flatMap(([to, peer]) => {
        const value = read(peer)
        return value === null ? [] : [{ labels: { ...labels, to }, value }]
      }),
    )
  const gauge = (name: string, help: string, samples: Family['samples']): Family => ({
    ...{ name: `lab_${name}`, help, type: 'gauge', samples },
  })
  return [
    gauge(
      'raft_peer_match_index',
      'What a follower is known to hold.',
      of((peer) => peer.matchIndex),
    ),
    gauge(
      'raft_peer_inflight_bytes',
      'Sent to it and not acknowledged.',
      of((peer) => peer.inflightBytes),
    ),
    gauge(
      'rpc_peer_round_trip_time_seconds',
      'From entries sent to entries durable there, last measured.',
      of(({ roundTripMs }) => (roundTripMs === null ? null : roundTripMs / 1000)),
    ),
  ]
}

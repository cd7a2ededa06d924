/**
 * InstallSnapshot from the leader's side (§7): chunks of the newest snapshot, each after the answer to the one before. The
 * follower says where it is, so a lost message or a new leader costs one chunk, not the snapshot.
 */
import type { Index, NodeId } from '../types.ts'
import type { InstallSnapshotReply } from './messages.ts'
import type { Progress, Transfer } from './progress.ts'
import type { SnapshotChunk } from './ready.ts'
import { hear, stored } from './replication.ts'
import type { Leadership, State } from './state.ts'

/** Asks the driver for the next chunk, if the last was answered, or so long ago that it counts as lost. */
export function advanceTransfer(state: State, leadership: Leadership, follower: Progress): void {
  const { transfer } = follower
  if (transfer === null) return
  if (transfer.step === 'sent' && state.now >= transfer.since + state.timing.electionTimeoutMsMax)
    transfer.step = 'idle'
  if (transfer.step !== 'idle') return
  enter(state, transfer, 'reading')
  state.outbox.snapshotReads.push({
    to: follower.id,
    index: transfer.meta?.index ?? state.log.snapshotIndex,
    offset: transfer.offset,
    bytesMax: state.limits.snapshotChunkBytes,
  })
}

/** What `Ready.snapshotReads` asked for; null when it could not be read now. */
export function onSnapshotRead(
  state: State,
  leadership: Leadership,
  to: NodeId,
  chunk: SnapshotChunk | null,
): void {
  const transfer = leadership.followers.get(to)?.transfer
  if (transfer?.step !== 'reading') return
  // Read for what this follower was before: it was removed, and added again, or this server lost office and won it back.
  const late = chunk !== null && chunk.meta.index !== transfer.meta?.index && chunk.offset > 0
  if (late) return
  // The pause before the next attempt is the same as after a lost chunk.
  enter(state, transfer, 'sent')
  if (chunk === null) return
  if (transfer.meta?.index !== chunk.meta.index) {
    transfer.meta = chunk.meta
    transfer.offset = 0
  }
  const { meta: snapshot, size, crc, offset, data, done } = chunk
  const { currentTerm: term } = state
  const { round } = leadership
  // No heartbeat: a chunk may be long on its way, on a flow of its own.
  state.send(to, { type: 'InstallSnapshot', term, snapshot, size, crc, offset, data, done, round })
}

export function onInstallSnapshotReply(
  state: State,
  leadership: Leadership,
  from: NodeId,
  reply: InstallSnapshotReply,
): void {
  const follower = hear(state, leadership, from, reply.round)
  if (follower === undefined) return
  if (reply.installed) {
    if (reply.index <= state.commitIndex) stored(state, leadership, follower, reply.index)
    beginAnew(state, follower, reply.index)
    return
  }
  const { transfer } = follower
  if (transfer?.step !== 'sent' || transfer.meta?.index !== reply.index) return
  // A late answer to an earlier chunk: the one that was sent since is on its way.
  if (reply.offset === transfer.offset) return
  transfer.offset = reply.offset
  enter(state, transfer, 'idle')
}

/** It has installed that one, and the log was compacted further meanwhile: the newer one is next, without a pause. */
function beginAnew(state: State, { transfer }: Progress, installed: Index): void {
  if (transfer?.meta?.index !== installed) return
  transfer.meta = null
  transfer.offset = 0
  enter(state, transfer, 'idle')
}

function enter(state: State, transfer: Transfer, step: Transfer['step']): void {
  transfer.step = step
  transfer.since = state.now
}

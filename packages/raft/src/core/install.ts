/**
 * InstallSnapshot as a follower takes it (§7). Chunks are written aside as they come; the last one is committed and restored
 * by the driver as one step, and only then does the log change.
 *
 *     chunk ─▶ snapshotWrite ─▶ snapshotWritten ─▶ reply with the new offset ─▶ … ─▶ done: log and machine replaced
 */
import type { NodeId } from '../types.ts'
import { decodeMembership } from './membership.ts'
import type { InstallSnapshot, InstallSnapshotReply } from './messages.ts'
import type { SnapshotChunk } from './ready.ts'
import { membershipChanged } from './role.ts'
import type { Reception, State } from './state.ts'

/** By now the sender leads the current term, and this server follows it. */
export function onInstallSnapshot(state: State, from: NodeId, request: InstallSnapshot): void {
  const { snapshot, round } = request
  const current = state.reception
  if (snapshot.index <= state.commitIndex) {
    // What it stands for is here already; a stale snapshot must not throw away what came since.
    if (current?.writing === null) state.reception = null
    reply(state, from, { index: snapshot.index, offset: request.size, installed: true, round })
    return
  }
  if (current !== null && current.writing !== null) {
    // Answered when it is written.
    current.from = from
    current.round = round
    return
  }
  const reception = continued(state, from, request)
  if (request.offset !== reception.offset) {
    reply(state, from, { index: snapshot.index, offset: reception.offset, installed: false, round })
    return
  }
  const { size, crc, offset, data, done } = request
  reception.writing = { meta: snapshot, size, crc, offset, data, done }
  // The last chunk replaces the log, so it waits until nothing else is being written: see takeSnapshotWrite.
  if (!done) state.outbox.snapshotWrite = reception.writing
}

/** The reception that this chunk belongs to: the same snapshot, byte for byte, whoever sends it, or a new one. */
function continued(state: State, from: NodeId, request: InstallSnapshot): Reception {
  const { snapshot: meta, size, crc, round } = request
  const current = state.reception
  if (
    current?.meta.index === meta.index &&
    current.meta.term === meta.term &&
    current.size === size &&
    current.crc === crc
  ) {
    current.from = from
    current.round = round
    return current
  }
  const fresh = { meta, size, crc, offset: 0, writing: null, installing: false, from, round }
  state.reception = fresh
  return fresh
}

/** Is the log about to be replaced? Until then it must not change, nor may this server lead. */
export function installing(state: State): boolean {
  return state.reception?.writing?.done === true
}

/** The last chunk, once it may be handed out: no entries are being written or waiting for it. */
export function takeInstall(state: State): SnapshotChunk | null {
  const { reception, durability, log } = state
  if (reception?.writing?.done !== true || reception.installing) return null
  if (!durability.settled(log)) return null
  reception.installing = true
  return reception.writing
}

/** A chunk is on disk aside; the last one is committed and restored. */
export function onSnapshotWritten(state: State, index: number, offset: number, ok: boolean): void {
  const { reception } = state
  const chunk = reception?.writing
  if (reception == null || chunk == null || reception.meta.index !== index || chunk.offset !== offset) return
  reception.writing = null
  reception.installing = false
  if (!ok) {
    reception.offset = 0
    answer(state, reception, false)
  } else if (chunk.done) {
    install(state, reception)
    answer(state, reception, true)
    state.reception = null
  } else {
    reception.offset = offset + chunk.data.length
    answer(state, reception, false)
  }
}

function install(state: State, { meta }: Reception): void {
  const { log, configurations, durability } = state
  const fits = log.matches(meta.index, meta.term)
  log.restore(meta)
  durability.restored(meta.index, log.lastIndex)
  state.commitIndex = Math.max(state.commitIndex, meta.index)
  state.handedOutIndex = Math.max(state.handedOutIndex, meta.index)
  state.appliedIndex = Math.max(state.appliedIndex, meta.index)
  // Where the log goes on after the snapshot, its configurations do too (trap: a cached one from before must not survive).
  if (fits) configurations.compactTo(meta.index)
  else configurations.reset(decodeMembership(meta.membership, meta.index))
  membershipChanged(state)
}

/** Answers a chunk of a term that is past, so that its sender learns of the new one (§5.1). */
export function refuseStaleSnapshot(state: State, from: NodeId, request: InstallSnapshot): void {
  state.refuse(from, 'InstallSnapshot', `term ${String(request.term)} is past`)
  const { snapshot, round } = request
  reply(state, from, { index: snapshot.index, offset: 0, installed: false, round })
}

function answer(state: State, reception: Reception, installed: boolean): void {
  const { from, round, meta, offset, size } = reception
  reply(state, from, { index: meta.index, offset: installed ? size : offset, installed, round })
}

function reply(
  state: State,
  to: NodeId,
  what: Pick<InstallSnapshotReply, 'index' | 'offset' | 'installed' | 'round'>,
): void {
  const message: InstallSnapshotReply = { type: 'InstallSnapshotReply', term: state.currentTerm, ...what }
  state.promise(to, message, what.installed ? what.index : 0)
}

/**
 * AppendEntries from the leader's side (§5.3): what each follower is sent in a turn, and what its answers mean. Everything
 * appended in one turn leaves in as few messages as the limits allow; the own disk is not waited for (thesis §10.2.1).
 */
import { recordBytes, type Entry } from '../entry.ts'
import type { Index, NodeId } from '../types.ts'
import { maybeCommit } from './commit.ts'
import { hush, needsHeartbeats } from './hosts.ts'
import type { AppendEntriesReply } from './messages.ts'
import type { Progress } from './progress.ts'
import { advanceTransfer } from './snapshot.ts'
import type { Leadership, State } from './state.ts'
import { handOver } from './transfer.ts'

/** Sends every follower what it may be sent now: entries, chunks, and a heartbeat where nothing else left. */
export function replicate(state: State, leadership: Leadership): void {
  hush(state, leadership)
  const notice = state.now >= leadership.commitNoticeAt
  if (notice) leadership.commitNoticeAt = Infinity
  for (const follower of leadership.followers.values()) {
    // What it needs next is no longer in the log: only a snapshot can help (§7).
    if (follower.state !== 'snapshot' && state.log.termAt(follower.nextIndex - 1) === undefined)
      follower.becomeSnapshot(state.now)
    if (follower.state === 'snapshot') advanceTransfer(state, leadership, follower)
    else sendEntries(state, leadership, follower)
    const untold = notice && follower.sentCommit < state.commitIndex
    if (untold || heartbeatDue(state, leadership, follower)) send(state, leadership, follower, [])
  }
}

/** Its time has come, or a read waits for its answer to a newer round. */
function heartbeatDue(state: State, leadership: Leadership, follower: Progress): boolean {
  const due = needsHeartbeats(state, follower) && state.now >= heartbeatAt(state, follower)
  return due || follower.sentRound < leadership.round
}

/**
 * When nothing has left for it within heartbeatMs, or it was neither heard nor asked for twice as long, whatever left: entries are answered
 * when they are on its disk, a heartbeat at once, so a leader hears that those follow whose disks are slow.
 */
export function heartbeatAt({ timing }: State, { sentAt, heardAt, askedAt }: Progress): number {
  return Math.min(sentAt, Math.max(heardAt, askedAt) + timing.heartbeatMs) + timing.heartbeatMs
}

function sendEntries(state: State, leadership: Leadership, follower: Progress): void {
  const { log, limits } = state
  while (follower.nextIndex <= log.lastIndex && !follower.probing && !follower.inflight.full) {
    if (follower.nextIndex < log.memoryFirst) {
      sendFromDisk(state, leadership, follower)
      return
    }
    send(state, leadership, follower, log.slice(follower.nextIndex, log.lastIndex, limits.appendBytesMax))
  }
}

/** Entries that left memory are asked back from storage, once it is known which. */
function sendFromDisk(state: State, leadership: Leadership, follower: Progress): void {
  if (follower.state === 'probe') {
    send(state, leadership, follower, [])
    follower.probing = true
    return
  }
  if (follower.fetching) return
  follower.fetching = true
  state.outbox.fetches.push({
    to: follower.id,
    first: follower.nextIndex,
    last: state.log.memoryFirst - 1,
    bytesMax: state.limits.appendBytesMax,
  })
}

/** One AppendEntries with consecutive `entries` from nextIndex on; none make a heartbeat. */
function send(state: State, leadership: Leadership, follower: Progress, entries: readonly Entry[]): void {
  // A follower that waits for a snapshot can only be asked whether it is there.
  const prevLogIndex = follower.state === 'snapshot' ? 0 : follower.nextIndex - 1
  state.send(follower.id, {
    type: 'AppendEntries',
    term: state.currentTerm,
    prevLogIndex,
    prevLogTerm: prevLogIndex === 0 ? 0 : (state.log.termAt(prevLogIndex) ?? 0),
    entries,
    leaderCommit: state.commitIndex,
    round: leadership.round,
  })
  follower.sentAt = state.now
  follower.sentRound = leadership.round
  follower.sentCommit = state.commitIndex
  const last = entries.at(-1)
  if (last === undefined) {
    follower.askedAt = state.now
    return
  }
  if (follower.state === 'probe') {
    follower.probing = true
    return
  }
  follower.inflight.add(
    last.index,
    entries.reduce((sum, entry) => sum + recordBytes(entry), 0),
  )
  follower.nextIndex = last.index + 1
  follower.timing ??= { index: last.index, at: state.now }
}

export function onAppendEntriesReply(
  state: State,
  leadership: Leadership,
  from: NodeId,
  reply: AppendEntriesReply,
): void {
  const follower = hear(state, leadership, from, reply.round)
  if (follower === undefined) return
  if (reply.matchIndex > state.log.lastIndex || reply.prevLogIndex > state.log.lastIndex) {
    state.refuse(from, 'AppendEntriesReply', 'it answers for entries that this log does not have')
    return
  }
  if (!reply.success) {
    onRefusal(state, follower, reply)
    return
  }
  // It holds the entry before what was sent, durable or not.
  if (follower.state === 'probe') follower.becomeReplicate(reply.prevLogIndex + 1)
  // One that ended earlier told of no commit beyond its end, whatever the leaderCommit in it (Figure 2, AppendEntries, rule 5).
  if (reply.matchIndex === state.log.lastIndex && reply.round <= leadership.round)
    follower.wholeRound = Math.max(follower.wholeRound, reply.round)
  stored(state, leadership, follower, reply.matchIndex)
}

/** A follower stores everything up to `index`, durably. */
export function stored(state: State, leadership: Leadership, follower: Progress, index: Index): void {
  const news = index > follower.matchIndex
  follower.acknowledged(index)
  follower.measureLag(state.log.lastIndex, state.now)
  if (follower.timing !== null && follower.timing.index <= index) {
    follower.roundTripMs = state.now - follower.timing.at
    follower.timing = null
  }
  // It has what the snapshot was for, by whatever way.
  if (follower.state === 'snapshot' && follower.nextIndex >= state.log.firstIndex && follower.matchIndex > 0)
    follower.becomeProbe(follower.nextIndex)
  if (news) maybeCommit(state, leadership)
  handOver(state, leadership, follower)
}

/** Any answer of this term shows that its sender follows (thesis §6.2), at least since `round` began. */
export function hear(
  state: State,
  leadership: Leadership,
  from: NodeId,
  round: number,
): Progress | undefined {
  const follower = leadership.followers.get(from)
  if (follower === undefined) return undefined
  follower.heardAt = state.now
  if (round <= leadership.round) follower.ackedRound = Math.max(follower.ackedRound, round)
  return follower
}

/** The logs differ at the entry before what was sent: look further back (§5.3). */
function onRefusal(state: State, follower: Progress, reply: AppendEntriesReply): void {
  const { prevLogIndex, conflictTerm, conflictIndex } = reply
  const late =
    follower.state === 'snapshot' ||
    prevLogIndex <= follower.matchIndex ||
    prevLogIndex >= follower.nextIndex ||
    (follower.state === 'probe' && prevLogIndex !== follower.nextIndex - 1)
  if (late) return
  // Skips all entries of the differing term, down to our last one of it if we have any.
  const common = conflictTerm === 0 ? 0 : state.log.lastIndexOfTerm(conflictTerm, prevLogIndex - 1)
  const next = common > 0 ? common + 1 : conflictIndex
  follower.becomeProbe(Math.min(next, prevLogIndex))
}

/** What `Ready.fetches` asked for. It is sent only if it is still what the follower needs and what the log says. */
export function onFetched(
  state: State,
  leadership: Leadership,
  from: NodeId,
  entries: readonly Entry[],
): void {
  const follower = leadership.followers.get(from)
  if (follower?.fetching !== true) return
  follower.fetching = false
  if (follower.state !== 'replicate') return
  const first = entries[0]
  const last = entries.at(-1)
  if (first === undefined || last === undefined) {
    // Compacted away meanwhile: the answer to a probe decides what it needs now.
    follower.becomeProbe(follower.nextIndex)
    follower.probing = true
    return
  }
  if (first.index !== follower.nextIndex || follower.inflight.full) return
  if (state.log.matches(last.index, last.term)) send(state, leadership, follower, entries)
}

/** The channel broke: what is in flight may be lost, so where the logs agree is looked up again. */
export function onUnreachable(leadership: Leadership, peer: NodeId): void {
  const follower = leadership.followers.get(peer)
  if (follower === undefined) return
  if (follower.state === 'replicate') follower.becomeProbe(follower.matchIndex + 1)
  if (follower.transfer?.step === 'sent') follower.transfer.since = -Infinity
}

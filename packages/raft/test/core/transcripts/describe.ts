/** What happened, in one line each, as people would say it. */
import { EntryKind, payloadOf, type Entry } from '../../../src/entry.ts'
import { describeMembership } from '../../../src/core/membership.ts'
import type { Envelope, Message } from '../../../src/core/messages.ts'
import type { Change, CoreStatus } from '../../../src/core/ready.ts'
import type { NodeId } from '../../../src/types.ts'

const KIND_NAMES: Record<number, string> = {
  [EntryKind.noop]: 'no-op',
  [EntryKind.configuration]: 'configuration',
}

export function describeChange(id: NodeId, change: Change): string {
  switch (change.type) {
    case 'role':
      return `${id} ${change.role} term=${String(change.term)} leader=${change.leader ?? 'none'}: ${change.why}`
    case 'membership':
      return `${id} uses configuration ${describeMembership(change.membership)} of entry ${String(change.index)}`
    case 'reconfigured':
      return `${id} has changed to ${describeMembership(change.membership)}${change.failure === null ? '' : `: ${change.failure}`}`
    case 'refused':
      return `${id} refuses ${change.to} ${change.what}: ${change.why}`
    case 'truncated':
      return `${id} removes entries from ${String(change.from)} on: ${change.why}`
    case 'committed':
      return `${id} commit=${String(change.index)}`
  }
}

/** Equal messages to several servers share a line. */
export function describeMessages(from: NodeId, envelopes: readonly Envelope[]): string[] {
  const lines = new Map<string, NodeId[]>()
  for (const { to, message } of envelopes) {
    const text = describeMessage(message)
    lines.set(text, [...(lines.get(text) ?? []), to])
  }
  return [...lines].map(([text, to]) => `${from} → ${to.join()} ${text}`)
}

function describeMessage(message: Message): string {
  const term = `term ${String(message.term)}`
  switch (message.type) {
    case 'RequestVote': {
      const kind = message.preVote ? 'pre-vote, ' : message.transfer ? 'hand-over, ' : ''
      return `RequestVote(${kind}${term}, last ${String(message.lastLogIndex)}@${String(message.lastLogTerm)})`
    }
    case 'RequestVoteReply':
      return `${message.preVote ? 'pre-vote' : 'vote'} ${message.voteGranted ? 'granted' : 'refused'}(${term})`
    case 'AppendEntries': {
      const after = `after ${String(message.prevLogIndex)}@${String(message.prevLogTerm)}`
      const entries =
        message.entries.length === 0 ? 'heartbeat' : message.entries.map(describeEntry).join(' ')
      return `AppendEntries(${term}, ${after}: ${entries}; commit ${String(message.leaderCommit)}, round ${String(message.round)})`
    }
    case 'AppendEntriesReply':
      return message.success
        ? `stored ${String(message.matchIndex)}(${term}, round ${String(message.round)})`
        : `refused after ${String(message.prevLogIndex)}(${term}, conflict ${String(message.conflictIndex)}@${String(message.conflictTerm)})`
    case 'InstallSnapshot':
      return `InstallSnapshot(${term}, up to ${String(message.snapshot.index)}@${String(message.snapshot.term)}, bytes ${String(message.offset)}–${String(message.offset + message.data.length)} of ${String(message.size)})`
    case 'InstallSnapshotReply':
      return message.installed
        ? `installed up to ${String(message.index)}(${term})`
        : `has ${String(message.offset)} bytes of the snapshot up to ${String(message.index)}(${term})`
    case 'TimeoutNow':
      return `TimeoutNow(${term})`
  }
}

function describeEntry(entry: Entry): string {
  const what = KIND_NAMES[entry.kind] ?? new TextDecoder().decode(payloadOf(entry))
  return `${String(entry.index)}@${String(entry.term)}=${what}`
}

export function describeEntries(id: NodeId, verb: string, entries: readonly Entry[]): string[] {
  return entries.length === 0 ? [] : [`${id} ${verb} ${entries.map(describeEntry).join(' ')}`]
}

export function describeStatus(status: CoreStatus): string {
  const { id, role, currentTerm, commitIndex, durableIndex, lastIndex, snapshotIndex } = status
  const indexes = `snapshot=${String(snapshotIndex)} commit=${String(commitIndex)} durable=${String(durableIndex)} last=${String(lastIndex)}`
  const followers = Object.entries(status.followers).map(
    ([follower, { state, matchIndex, nextIndex }]) =>
      ` ${follower}:${state} match=${String(matchIndex)} next=${String(nextIndex)}`,
  )
  return `${id} is ${role} term=${String(currentTerm)} ${indexes}${followers.join('')}`
}

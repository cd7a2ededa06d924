/** AppendEntries as a follower takes it (Figure 2, receiver implementation). */
import { assert } from '@lab/rpc'
import { EntryKind, type Entry } from '../entry.ts'
import type { Index, NodeId } from '../types.ts'
import { followCommit } from './commit.ts'
import { installing } from './install.ts'
import { adoptConfigurations } from './leadership.ts'
import type { AppendEntries, AppendEntriesReply } from './messages.ts'
import { membershipChanged } from './role.ts'
import type { State } from './state.ts'

/** By now the sender leads the current term, and this server follows it. */
export function onAppendEntries(state: State, from: NodeId, request: AppendEntries): void {
  if (installing(state)) {
    // The log is about to be replaced: say no more than that we hear.
    state.promise(from, acknowledge(state, { ...request, prevLogIndex: 0 }, 0))
    return
  }
  const { prevLogIndex, prevLogTerm, entries, leaderCommit } = request
  // What is committed equals the leader's log (Figure 3, leader completeness), even where its terms are forgotten.
  const known = prevLogIndex <= state.commitIndex || state.log.matches(prevLogIndex, prevLogTerm)
  if (!known) {
    refuse(state, from, request)
    return
  }
  storeNew(state, from, entries)
  const matching = Math.max(prevLogIndex + entries.length, state.commitIndex)
  followCommit(state, leaderCommit, matching)
  if (entries.length === 0) {
    // A heartbeat is answered at once, however slow the disk, with what is durable by now.
    const durable = Math.min(matching, state.durability.durableIndex)
    state.promise(from, acknowledge(state, request, durable))
    return
  }
  state.promise(from, acknowledge(state, request, matching), matching)
}

/** Answers an AppendEntries of a term that is past, so that its sender learns of the new one (§5.1). */
export function refuseStaleAppend(state: State, from: NodeId, request: AppendEntries): void {
  state.refuse(from, 'AppendEntries', `term ${String(request.term)} is past`)
  state.promise(from, refusal(state, request, 0, 0))
}

/** §5.3: the logs differ at prevLogIndex. Names the first index of the differing term, so that the leader skips all of it. */
function refuse(state: State, from: NodeId, request: AppendEntries): void {
  const { log, commitIndex } = state
  const { prevLogIndex } = request
  const conflictTerm = log.termAt(prevLogIndex)
  if (conflictTerm === undefined) {
    state.refuse(from, 'AppendEntries', `the log ends at ${String(log.lastIndex)}`)
    state.promise(from, refusal(state, request, Math.min(log.lastIndex, prevLogIndex) + 1, 0))
    return
  }
  const conflictIndex = Math.max(log.termStart(prevLogIndex), commitIndex + 1)
  state.refuse(
    from,
    'AppendEntries',
    `entry ${String(prevLogIndex)} has term ${String(conflictTerm)}, not ${String(request.prevLogTerm)}`,
  )
  state.promise(from, refusal(state, request, conflictIndex, conflictTerm))
}

/**
 * Appends what is not in the log yet. Entries are removed only when one at the same index has another term: a message that
 * comes late and short must not undo what a later one brought (Figure 2, step 3).
 */
function storeNew(state: State, from: NodeId, entries: readonly Entry[]): void {
  const { log } = state
  const news = entries.findIndex(
    (entry) => entry.index > state.commitIndex && !log.matches(entry.index, entry.term),
  )
  // Heartbeats, and what came before: `entries[-1]` would be looked for at length.
  if (news === -1) return
  const first = entries[news] as Entry
  if (first.index <= log.lastIndex) truncate(state, first.index, `${from} leads with other entries`)
  const fresh = news === 0 ? entries : entries.slice(news)
  log.append(fresh)
  if (fresh.some((entry) => entry.kind === EntryKind.configuration)) adoptConfigurations(state, fresh)
}

function truncate(state: State, index: Index, why: string): void {
  assert(index > state.commitIndex, 'committed entries are never removed (Figure 3, state machine safety)')
  state.log.truncateFrom(index)
  state.durability.truncatedFrom(index)
  state.changed({ type: 'truncated', from: index, why })
  if (state.configurations.truncateFrom(index)) membershipChanged(state)
}

function acknowledge(state: State, request: AppendEntries, matchIndex: Index): AppendEntriesReply {
  return {
    type: 'AppendEntriesReply',
    term: state.currentTerm,
    success: true,
    prevLogIndex: request.prevLogIndex,
    matchIndex,
    conflictIndex: 0,
    conflictTerm: 0,
    round: request.round,
  }
}

function refusal(
  state: State,
  request: AppendEntries,
  conflictIndex: Index,
  conflictTerm: number,
): AppendEntriesReply {
  return {
    type: 'AppendEntriesReply',
    term: state.currentTerm,
    success: false,
    prevLogIndex: request.prevLogIndex,
    matchIndex: 0,
    conflictIndex,
    conflictTerm,
    round: request.round,
  }
}

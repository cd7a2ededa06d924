/** When entries are committed (§5.3, §5.4.2), on the leader and on those who follow it. */
import type { Index } from '../types.ts'
import { quorumReached } from './quorum.ts'
import type { Leadership, State } from './state.ts'

/** Followers hear of a new commitIndex with the next entries, or after this part of the heartbeat interval by itself. */
const NOTICE_SHARE = 0.1

/** Commits what a majority stores (Figure 2, Leaders, last rule). The own log counts as far as it is durable. */
export function maybeCommit(state: State, leadership: Leadership): void {
  const { id, log, durability } = state
  const index = quorumReached(state.membership, (voter) =>
    voter === id ? durability.durableIndex : (leadership.followers.get(voter)?.matchIndex ?? 0),
  )
  if (index <= state.commitIndex) return
  // §5.4.2, Figure 8: an entry of an earlier term may sit on a majority and still be overwritten, so only entries of our own
  // term are counted; the rest commit with them.
  if (log.termAt(index) !== state.currentTerm) return
  state.commitIndex = index
  releaseCommitted(leadership, index)
  if (leadership.commitNoticeAt === Infinity)
    leadership.commitNoticeAt = state.now + NOTICE_SHARE * state.timing.heartbeatMs
}

/** Follows the leader's commitIndex, as far as this log is known to equal the leader's: up to `matching` (Figure 2). */
export function followCommit(state: State, leaderCommit: Index, matching: Index): void {
  state.commitIndex = Math.max(state.commitIndex, Math.min(leaderCommit, matching))
}

function releaseCommitted(leadership: Leadership, index: Index): void {
  const { uncommitted } = leadership
  let done = 0
  for (const batch of uncommitted) {
    if (batch.lastIndex > index) break
    leadership.uncommittedBytes -= batch.bytes
    done++
  }
  uncommitted.splice(0, done)
}

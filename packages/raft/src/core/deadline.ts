/** Everything that happens by itself: when it is due, and what then (§5.2, thesis §6.2). */
import { onElectionTimeout } from './election.ts'
import { lastHeard, needsHeartbeats } from './hosts.ts'
import { nextLeaseRound } from './lease.ts'
import type { Progress } from './progress.ts'
import { quorumReached } from './quorum.ts'
import { reconfigureAt } from './reconfigure.ts'
import { heartbeatAt } from './replication.ts'
import { becomeFollower } from './role.ts'
import type { Leadership, State } from './state.ts'
import { giveUpTransfer } from './transfer.ts'

/** The time that `Ready.deadline` named has come. Heartbeats need nothing here: they leave with the next Ready. */
export function onDeadline(state: State): void {
  const { leadership, now } = state
  if (leadership === null) {
    if (now >= state.electionDeadline) onElectionTimeout(state)
    return
  }
  giveUpTransfer(state, leadership)
  if (now >= quorumLostAt(state, leadership))
    becomeFollower(state, state.currentTerm, null, 'a majority was not heard of for an election timeout')
  else if (now >= diskStalledAt(state))
    becomeFollower(state, state.currentTerm, null, 'its disk did not finish a write for an election timeout')
}

/** When to come back if nothing else happens. */
export function nextDeadline(state: State): number {
  const { leadership } = state
  if (leadership === null) return state.electionDeadline
  let next = Math.min(
    quorumLostAt(state, leadership),
    diskStalledAt(state),
    nextLeaseRound(state, leadership),
  )
  next = Math.min(next, leadership.transfer?.until ?? Infinity, reconfigureAt(state, leadership))
  for (const follower of leadership.followers.values()) {
    if (needsHeartbeats(state, follower)) next = Math.min(next, heartbeatAt(state, follower))
    if (follower.sentCommit < state.commitIndex) next = Math.min(next, leadership.commitNoticeAt)
  }
  return next
}

/** A leader that a majority has not answered for an election timeout may have a successor (CheckQuorum, thesis §6.2). */
function quorumLostAt(state: State, leadership: Leadership): number {
  const heardAt = quorumReached(state.membership, (id) =>
    id === state.id ? Infinity : heardAtOf(state, leadership.followers.get(id)),
  )
  return heardAt + state.timing.electionTimeoutMsMax
}

function heardAtOf(state: State, follower: Progress | undefined): number {
  return follower === undefined ? -Infinity : lastHeard(state, follower)
}

/**
 * Heartbeats must not keep a leader in office whose disk is dead: everything would wait for it. As long as the others have not stored
 * either what it writes, nobody would do better, and an election would only cost time: disks are slow together, where machines share one.
 */
function diskStalledAt({ durability, commitIndex, timing }: State): number {
  const behind = durability.writingUpTo <= commitIndex
  return behind ? durability.writingSince + timing.electionTimeoutMsMax : Infinity
}

import type { CoreStatus } from './ready.ts'
import type { Leadership, State } from './state.ts'

/** What anybody may look at, a copy. */
export function statusOf(state: State): CoreStatus {
  return {
    id: state.id,
    role: state.role,
    currentTerm: state.currentTerm,
    votedFor: state.votedFor,
    leader: state.leader,
    commitIndex: state.commitIndex,
    appliedIndex: state.appliedIndex,
    durableIndex: state.durability.durableIndex,
    lastIndex: state.log.lastIndex,
    snapshotIndex: state.log.snapshotIndex,
    memoryBytes: state.log.memoryBytes,
    uncommittedBytes: state.leadership?.uncommittedBytes ?? 0,
    membership: state.membership,
    followers: state.leadership === null ? {} : followersOf(state.leadership),
  }
}

function followersOf({ followers }: Leadership): CoreStatus['followers'] {
  const all: Record<string, CoreStatus['followers'][string]> = {}
  for (const [id, follower] of followers)
    all[id] = {
      matchIndex: follower.matchIndex,
      nextIndex: follower.nextIndex,
      state: follower.state,
      inflightBytes: follower.inflight.bytes,
      roundTripMs: follower.roundTripMs,
    }
  return all
}

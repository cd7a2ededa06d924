/**
 * Leaving office in good order: nothing new is taken, what is in the log is committed, and whoever has all of it is told to
 * campaign at once (thesis §3.10), so that the others need not wait for an election timeout. A leader that the committed
 * configuration leaves out goes so (thesis §4.2.2), and one that was asked to.
 */
import type { Progress } from './progress.ts'
import { becomeFollower } from './role.ts'
import type { Leadership, Retirement, State } from './state.ts'

/** Once a turn: leaves as soon as a successor has everything, and in any case when the time is up. */
export function retire(state: State, leadership: Leadership, { until, why }: Retirement): void {
  const successor = bestSuccessor(state, leadership)
  const { lastIndex } = state.log
  const ready = successor !== null && state.commitIndex === lastIndex && successor.matchIndex === lastIndex
  if (successor !== null && !ready && state.now < until) return
  if (ready) state.send(successor.id, { type: 'TimeoutNow', term: state.currentTerm })
  becomeFollower(state, state.currentTerm, null, why)
}

/** The voter with the most of the log; of equal ones the one heard of last. Null when there is nobody else. */
export function bestSuccessor(state: State, leadership: Leadership): Progress | null {
  let best: Progress | null = null
  for (const id of state.membership.voters) {
    const follower = leadership.followers.get(id)
    if (follower !== undefined && (best === null || isBetter(follower, best))) best = follower
  }
  return best
}

function isBetter(one: Progress, other: Progress): boolean {
  if (one.matchIndex !== other.matchIndex) return one.matchIndex > other.matchIndex
  return one.heardAt > other.heardAt
}

/** Asked to: the one in office goes, whoever may come. */
export function stepDown(state: State, leadership: Leadership | null): void {
  if (leadership === null) return
  leadership.transfer = null
  leadership.retirement ??= {
    until: state.now + state.timing.electionTimeoutMsMax,
    why: 'it was asked to step down',
  }
}

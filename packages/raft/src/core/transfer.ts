/**
 * Handing over leadership on purpose (thesis §3.10): proposals stop, the successor catches up, TimeoutNow makes it campaign
 * at once. Given up after an election timeout, or the cluster would stand still for a successor that is gone; and not begun
 * for one that is silent, so that whoever asks again and again (admin/operator.ts) stops nothing.
 */
import type { NodeId } from '../types.ts'
import { lastHeard } from './hosts.ts'
import type { Progress } from './progress.ts'
import { isVoter } from './quorum.ts'
import { bestSuccessor } from './retire.ts'
import type { Leadership, State } from './state.ts'

export function onTransfer(state: State, leadership: Leadership | null, wanted: NodeId | null): void {
  const to = wanted ?? (leadership === null ? null : bestSuccessor(state, leadership)?.id) ?? state.id
  const why = reasonNotTo(state, leadership, to)
  if (leadership === null || why !== null) {
    state.refuse(to, 'transfer', why ?? 'this server does not lead')
    return
  }
  leadership.transfer = { to, until: state.now + state.timing.electionTimeoutMsMax }
  const follower = leadership.followers.get(to)
  if (follower !== undefined) handOver(state, leadership, follower)
}

function reasonNotTo(state: State, leadership: Leadership | null, to: NodeId): string | null {
  if (leadership === null) return 'this server does not lead'
  if (to === state.id) return 'it leads already'
  if (!isVoter(state.membership, to)) return 'it has no vote'
  if (leadership.retirement !== null) return 'this server is about to leave office'
  if (leadership.transfer !== null) return `a hand-over to ${leadership.transfer.to} is under way`
  const follower = leadership.followers.get(to)
  if (follower !== undefined && state.now - lastHeard(state, follower) > state.timing.electionTimeoutMsMax)
    return `nothing was heard of ${to} for an election timeout`
  return null
}

/** Each answer of a successor that has the whole log brings TimeoutNow, so that a lost one is repeated. */
export function handOver(state: State, leadership: Leadership, follower: Progress): void {
  if (leadership.transfer?.to !== follower.id || follower.matchIndex !== state.log.lastIndex) return
  state.send(follower.id, { type: 'TimeoutNow', term: state.currentTerm })
  leadership.toldToCampaign = true
}

export function giveUpTransfer(state: State, leadership: Leadership): void {
  if (leadership.transfer === null || state.now < leadership.transfer.until) return
  state.refuse(leadership.transfer.to, 'transfer', 'it did not take over within an election timeout')
  leadership.transfer = null
}

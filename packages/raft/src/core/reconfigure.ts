/**
 * Changes of membership as the leader leads them (§6): by joint consensus only, one at a time, and never before an entry of the
 * leader's own term is committed (a change that an earlier leader left uncommitted could otherwise overlap with ours).
 *
 *     changeMembership ─▶ learners ─▶ catch-up ─▶ joint ─▶ final ─▶ reconfigured
 *                             └── too slow ─▶ undo ─▶ refused, and nothing has changed
 *
 * What the change is for stands in memory only up to the joint entry. From there on the log knows: whichever leader finds a
 * joint configuration committed leaves it.
 */
import type { Index, Membership, NodeId } from '../types.ts'
import { lastHeard } from './hosts.ts'
import { appendConfiguration, stopFollowing } from './leadership.ts'
import {
  afterJoint,
  isJoint,
  jointOf,
  newcomers,
  sameMembership,
  sameVoters,
  targetOf,
  withLearners,
  without,
  type MembershipChange,
} from './membership-change.ts'
import { isVoter } from './quorum.ts'
import { retire } from './retire.ts'
import type { Leadership, State } from './state.ts'

/** A change that this leader was asked for, until it is done. */
export interface Reconfiguration {
  readonly target: Membership
  /** `catch-up`: new voters receive the log as learners. `enter`: the entry that decides is in the log. `undo`: they were too slow. */
  step: 'catch-up' | 'enter' | 'undo'
  /** Learners that this change has brought: taken out again when they do not catch up. */
  readonly brought: readonly NodeId[]
  /** How long learners are waited for. */
  readonly until: number
}

/** The answer to `changeMembership`. With `ok` a `reconfigured` tells how it ended, perhaps in this very turn. */
export type ChangeAccepted =
  | { readonly ok: true }
  | {
      readonly ok: false
      /** `conflict`: the configuration is another than the one that the change was made for. */
      readonly code: 'not-leader' | 'busy' | 'conflict' | 'bad-request'
      readonly why: string
    }

export interface ChangeOptions {
  readonly change: MembershipChange
  /** Refused unless the configuration still stands at this index. */
  readonly ifIndex?: Index | undefined
  /** How long new voters may take to catch up, in milliseconds. */
  readonly patienceMs: number
}

export function changeMembership(state: State, options: ChangeOptions): ChangeAccepted {
  const { leadership, membership } = state
  if (leadership === null) return { ok: false, code: 'not-leader', why: 'this server does not lead' }
  const busy = reasonToWait(state, leadership)
  if (busy !== null) return { ok: false, code: 'busy', why: busy }
  const { index } = membership
  if (options.ifIndex !== undefined && options.ifIndex !== index)
    return {
      ok: false,
      code: 'conflict',
      why: `the configuration is that of entry ${String(index)}, not of ${String(options.ifIndex)}`,
    }
  const target = targetOf(membership, options.change)
  if (typeof target === 'string') return { ok: false, code: 'bad-request', why: target }
  begin(state, leadership, target, options.patienceMs)
  return { ok: true }
}

/** One change at a time, and none before this leader knows what is committed. */
function reasonToWait(state: State, leadership: Leadership): string | null {
  if (leadership.transfer !== null) return `a hand-over to ${leadership.transfer.to} is under way`
  if (leadership.retirement !== null) return 'this server is about to leave office'
  if (leadership.change !== null) return 'another change of membership is under way'
  if (state.commitIndex < leadership.firstIndex)
    return 'this leader has not committed an entry of its term yet'
  if (state.configurations.latestIndex > state.commitIndex || isJoint(state.membership))
    return 'an earlier change of membership is not committed yet'
  return null
}

function begin(state: State, leadership: Leadership, target: Membership, patienceMs: number): void {
  const { membership } = state
  if (sameMembership(membership, target)) {
    state.reconfigured(null)
    return
  }
  const brought = newcomers(membership, target)
  const until = state.now + patienceMs
  leadership.change = { target, step: 'catch-up', brought, until }
  if (brought.length > 0) appendConfiguration(state, leadership, withLearners(membership, target))
  else if (sameVoters(membership, target)) enter(state, leadership, leadership.change, target)
}

/** Goes on with what is under way, as far as what is committed allows. Once a turn, before messages are made. */
export function reconfigure(state: State, leadership: Leadership): void {
  forgetDeparted(state, leadership)
  const { configurations, membership, commitIndex } = state
  const settled = configurations.latestIndex <= commitIndex && commitIndex >= leadership.firstIndex
  if (settled && leadership.transfer === null) {
    if (isJoint(membership)) appendConfiguration(state, leadership, afterJoint(membership))
    else goOn(state, leadership)
  }
  if (leadership.retirement !== null) retire(state, leadership, leadership.retirement)
}

/** The latest configuration is committed and not joint. */
function goOn(state: State, leadership: Leadership): void {
  if (leadership.change !== null) advance(state, leadership, leadership.change)
  // A leader that has led the change to a configuration without itself is done (§6).
  if (leadership.change !== null || isVoter(state.membership, state.id)) return
  leadership.retirement ??= {
    until: state.now + state.timing.electionTimeoutMsMax,
    why: 'the configuration that it has committed gives it no vote',
  }
}

function advance(state: State, leadership: Leadership, change: Reconfiguration): void {
  if (change.step === 'catch-up') {
    const behind = change.target.voters.filter((id) => !hasCaughtUp(state, leadership, id))
    if (behind.length === 0) enter(state, leadership, change, jointOf(state.membership, change.target))
    else if (state.now >= change.until) giveUp(state, leadership, change, behind)
    return
  }
  leadership.change = null
  state.reconfigured(change.step === 'enter' ? null : 'the servers to be added have not caught up in time')
}

function enter(state: State, leadership: Leadership, change: Reconfiguration, next: Membership): void {
  change.step = 'enter'
  appendConfiguration(state, leadership, next)
}

function giveUp(
  state: State,
  leadership: Leadership,
  change: Reconfiguration,
  behind: readonly NodeId[],
): void {
  for (const id of behind) state.refuse(id, 'promotion', 'it has not caught up in time')
  change.step = 'undo'
  if (change.brought.length > 0)
    appendConfiguration(state, leadership, without(state.membership, change.brought))
}

/**
 * A voter that lacks most of the log would hold up every commit, so a learner is promoted only when it stores all that this
 * leader's log held an election timeout ago (thesis §4.2.1: its last round of catching up took less).
 */
function hasCaughtUp(state: State, leadership: Leadership, id: NodeId): boolean {
  if (isVoter(state.membership, id)) return true
  const follower = leadership.followers.get(id)
  if (follower === undefined) return false
  // Who has everything and is quiet is not asked how far it is.
  const atEnd = follower.matchIndex === state.log.lastIndex
  const since = atEnd ? lastHeard(state, follower) : follower.caughtUpAt
  return state.now - since <= state.timing.electionTimeoutMsMax
}

/** Removed servers hear of their removal, if they are up, and then no more: one that knows does not campaign (thesis §4.2.3). */
function forgetDeparted(state: State, leadership: Leadership): void {
  const { latestIndex } = state.configurations
  for (const [id, until] of leadership.departing) {
    const follower = leadership.followers.get(id)
    const told =
      follower !== undefined && follower.matchIndex >= latestIndex && follower.sentCommit >= latestIndex
    if (told || state.now >= until) stopFollowing(leadership, id)
  }
}

/** When a change under way is to be looked at again, whatever happens. A time that is past waits for what it waited for then. */
export function reconfigureAt({ now }: State, { change, departing, retirement }: Leadership): number {
  let next = retirement?.until ?? Infinity
  if (change?.step === 'catch-up' && change.until > now) next = Math.min(next, change.until)
  for (const until of departing.values()) next = Math.min(next, until)
  return next
}

/**
 * Raft, without input or output: see ready.ts for what goes in and comes out. This file checks the term (§5.1) and decides
 * which rule an input is for; the rules stand in the modules beside it.
 */
import { assert } from '@lab/rpc'
import { EntryKind } from '../entry.ts'
import type { Index, Membership, NodeId, SnapshotMeta } from '../types.ts'
import { onAppendEntries, refuseStaleAppend } from './append.ts'
import { maybeCommit } from './commit.ts'
import { onDeadline } from './deadline.ts'
import {
  onConnectionBroke,
  onHardStateDurable,
  onRequestVote,
  onRequestVoteReply,
  onTimeoutNow,
  withholdsVotes,
} from './election.ts'
import { onHostAlive, onHostSilent } from './hosts.ts'
import { onInstallSnapshot, onSnapshotWritten, refuseStaleSnapshot } from './install.ts'
import { propose } from './leadership.ts'
import { leaseIndex, type LeaseAnswer } from './lease.ts'
import { encodeMembership } from './membership.ts'
import type { Message } from './messages.ts'
import { readIndex } from './read-index.ts'
import type { CoreLimits, CoreOptions, CoreStatus, Input, Proposed, Ready } from './ready.ts'
import { changeMembership, type ChangeAccepted, type ChangeOptions } from './reconfigure.ts'
import { onAppendEntriesReply, onFetched, onUnreachable } from './replication.ts'
import { stepDown } from './retire.ts'
import { becomeFollower, mayCampaign, resetElectionDeadline } from './role.ts'
import { onInstallSnapshotReply, onSnapshotRead } from './snapshot.ts'
import { State } from './state.ts'
import { statusOf } from './status.ts'
import { takeReady } from './take-ready.ts'
import { onTransfer } from './transfer.ts'

export const DEFAULT_LIMITS: CoreLimits = {
  appendBytesMax: 256 * 1024,
  inflightBytesMax: 8 * 1024 * 1024,
  inflightMessagesMax: 64,
  writeBytesMax: 1024 * 1024,
  uncommittedBytesMax: 64 * 1024 * 1024,
  cacheBytesMax: 16 * 1024 * 1024,
  cacheEntriesMax: 2048,
  snapshotChunkBytes: 256 * 1024,
}

export class Raft {
  readonly #state: State
  #touched = true

  /** Starts as a follower (§5.2) with what storage recovered. */
  constructor(options: CoreOptions) {
    this.#state = new State(options, { ...DEFAULT_LIMITS, ...options.limits })
    resetElectionDeadline(this.#state)
    const { quietUntil, timing } = this.#state
    // Not all at one moment: the timeout keeps its width and begins later.
    if (quietUntil > options.now)
      this.#state.electionDeadline += timing.electionTimeoutMsMax - timing.electionTimeoutMsMin
    const { voters, votersOutgoing } = this.#state.membership
    // The only voter has nobody to wait for.
    if (
      voters.length === 1 &&
      votersOutgoing.length === 0 &&
      voters[0] === options.id &&
      mayCampaign(this.#state)
    )
      this.#state.electionDeadline = Math.max(options.now, quietUntil)
  }

  /** All that is inside, for who must tell any two states apart: the exhaustive explorer among the tests. */
  static stateOf(raft: Raft): State {
    return raft.#state
  }

  /** Takes in one thing that happened, at `now` on a monotonic clock. */
  step(input: Input, now: number): void {
    this.#at(now)
    const state = this.#state
    const { leadership } = state
    switch (input.type) {
      case 'deadline':
        onDeadline(state)
        return
      case 'message':
        receive(state, input.from, input.message)
        return
      case 'persisted':
        onPersisted(state, input.write)
        return
      case 'fetched':
        if (leadership !== null) onFetched(state, leadership, input.to, input.entries)
        return
      case 'snapshotRead':
        if (leadership !== null) onSnapshotRead(state, leadership, input.to, input.chunk)
        return
      case 'snapshotWritten':
        onSnapshotWritten(state, input.index, input.offset, input.ok)
        return
      case 'applied':
        state.appliedIndex = Math.max(state.appliedIndex, input.index)
        return
      case 'compacted':
        onCompacted(state, input.meta, input.compactTo)
        return
      case 'unreachable':
        if (leadership !== null) onUnreachable(leadership, input.peer)
        else if (input.broke === true) onConnectionBroke(state, input.peer)
        return
      case 'hostAlive':
        onHostAlive(state, input.peer, input.claim, input.fresh)
        return
      case 'hostSilent':
        onHostSilent(state, input.peer, input.heardAt, input.stagger)
        return
      case 'transfer':
        onTransfer(state, leadership, input.to)
        return
      case 'stepDown':
        stepDown(state, leadership)
        return
    }
  }

  /**
   * Appends one entry or several consecutive ones, all or none, if this server leads. They are not durable yet, nor
   * committed: wait for `Ready.committed`.
   *
   * @param wallTime milliseconds since 1970, for the entries' log time
   * @returns the index of the first
   */
  propose(
    payloads: readonly Uint8Array[] | Uint8Array,
    kind: EntryKind,
    wallTime: number,
    now: number,
  ): Proposed {
    this.#at(now)
    const all = payloads instanceof Uint8Array ? [payloads] : payloads
    assert(all.length > 0, 'a proposal has at least one payload')
    assert(kind !== EntryKind.configuration, 'who takes part changes by changeMembership only (§6)')
    return propose(this.#state, all, kind, wallTime)
  }

  /**
   * Begins to change who takes part (§6), if this server leads and no other change is under way. How it ends is told by a
   * `reconfigured` in `Ready.changes`, unless this server loses office before: then nobody knows.
   */
  changeMembership(options: ChangeOptions, now: number): ChangeAccepted {
    this.#at(now)
    return changeMembership(this.#state, options)
  }

  /** Asks for an index at which a read is linearizable (thesis §6.4). Returns an id, answered in `Ready.reads`. */
  readIndex(now: number): number {
    this.#at(now)
    return readIndex(this.#state)
  }

  /**
   * The index at which a read is linearizable right now, by the leader's lease (thesis §6.4.1). Asks nobody, changes nothing: the
   * caller's `now` must be of the same synchronous turn.
   */
  leaseIndex(now: number): LeaseAnswer {
    this.#at(now)
    return leaseIndex(this.#state)
  }

  /** What comes of the next inputs is said, in changes and envelopes, to come of the event of this number in the trace. */
  because(event: number): void {
    this.#state.cause = event
  }

  /** Is there work to take? After every input there may be. */
  hasReady(): boolean {
    return this.#touched
  }

  /** The work since the last time. Everything in it must be done, in the order of {@link Ready}'s fields. */
  takeReady(now: number = this.#state.now): Ready {
    this.#at(now)
    this.#touched = false
    return takeReady(this.#state)
  }

  /** What a snapshot taken at `index` stands for. `index` is applied, and not compacted away. */
  snapshotMetaAt(index: Index): SnapshotMeta {
    const term = this.#state.log.termAt(index)
    assert(
      index <= this.#state.handedOutIndex && term !== undefined,
      'a snapshot is taken of what was applied',
    )
    return { index, term, membership: encodeMembership(this.#state.configurations.at(index)) }
  }

  /** The configuration that is committed, as far as this server knows, and later ones in its log; oldest first. */
  configurations(): readonly Membership[] {
    return this.#state.configurations.from(this.#state.commitIndex)
  }

  status(): CoreStatus {
    return statusOf(this.#state)
  }

  #at(now: number): void {
    this.#touched = true
    this.#state.now = Math.max(this.#state.now, now)
  }
}

/** §5.1: a message of a later term ends whatever this server was; one of an earlier term is refused. */
function receive(state: State, from: NodeId, message: Message): void {
  if (message.term > state.currentTerm && raisesTerm(message)) {
    if (message.type === 'RequestVote' && withholdsVotes(state, message) !== null) {
      onRequestVote(state, from, message)
      return
    }
    becomeFollower(
      state,
      message.term,
      leaderBy(from, message),
      `${message.type} of a later term from ${from}`,
    )
  }
  if (message.term < state.currentTerm) refuseStale(state, from, message)
  else handle(state, from, message)
}

/** Pre-votes speak of a term that nobody has entered (thesis §9.6). */
function raisesTerm(message: Message): boolean {
  if (message.type === 'RequestVote') return !message.preVote
  if (message.type === 'RequestVoteReply') return !(message.preVote && message.voteGranted)
  return true
}

function leaderBy(from: NodeId, message: Message): NodeId | null {
  return message.type === 'AppendEntries' || message.type === 'InstallSnapshot' ? from : null
}

/** Requests are answered, so that the sender learns of the later term; answers and orders are dropped. */
function refuseStale(state: State, from: NodeId, message: Message): void {
  if (message.type === 'RequestVote') onRequestVote(state, from, message)
  else if (message.type === 'AppendEntries') refuseStaleAppend(state, from, message)
  else if (message.type === 'InstallSnapshot') refuseStaleSnapshot(state, from, message)
}

function handle(state: State, from: NodeId, message: Message): void {
  const { leadership } = state
  switch (message.type) {
    case 'RequestVote':
      onRequestVote(state, from, message)
      return
    case 'RequestVoteReply':
      onRequestVoteReply(state, from, message)
      return
    case 'AppendEntries':
      followLeader(state, from)
      onAppendEntries(state, from, message)
      return
    case 'AppendEntriesReply':
      if (leadership !== null) onAppendEntriesReply(state, leadership, from, message)
      return
    case 'InstallSnapshot':
      followLeader(state, from)
      onInstallSnapshot(state, from, message)
      return
    case 'InstallSnapshotReply':
      if (leadership !== null) onInstallSnapshotReply(state, leadership, from, message)
      return
    case 'TimeoutNow':
      onTimeoutNow(state, from)
      return
  }
}

/** Whoever sends entries or a snapshot in the current term is its leader (§5.2). */
function followLeader(state: State, from: NodeId): void {
  assert(state.leadership === null, 'a term has at most one leader (Figure 3, election safety)')
  state.leaderHeardAt = state.now
  if (state.role === 'follower' && state.leader === from) resetElectionDeadline(state)
  else becomeFollower(state, state.currentTerm, from, `${from} leads this term`)
}

function onPersisted(state: State, write: number): void {
  const { hardState, send } = state.durability.persisted(write)
  state.outbox.sendNow.push(...send)
  if (hardState !== null) onHardStateDurable(state, hardState)
  // The leader's own log counts from now on.
  if (state.leadership !== null) maybeCommit(state, state.leadership)
}

function onCompacted(state: State, meta: SnapshotMeta, compactTo: Index): void {
  assert(meta.index <= state.handedOutIndex, 'only what was applied is compacted')
  state.log.compact(meta, compactTo)
  state.configurations.compactTo(Math.min(meta.index, state.log.firstIndex - 1))
}

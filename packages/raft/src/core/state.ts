/**
 * Everything that one server knows (Figure 2, State), in one place. The modules beside this one are functions over it, one
 * per rule of the paper; raft.ts decides which of them an input is for.
 */
import { RecordWriter } from '../record.ts'
import type { HardState, Index, Membership, NodeId, Role, SnapshotMeta, Term } from '../types.ts'
import { Durability } from './durability.ts'
import type { Claim } from './hosts.ts'
import { Log } from './log.ts'
import { Configurations, NO_MEMBERSHIP, decodeMembership } from './membership.ts'
import type { Envelope, Message } from './messages.ts'
import { emptyOutbox, type Outbox } from './outbox.ts'
import type { Progress } from './progress.ts'
import type { Change, CoreLimits, CoreOptions, SnapshotChunk, Timing } from './ready.ts'
import type { Reconfiguration } from './reconfigure.ts'

/** A candidate's campaign. */
export interface Election {
  /** Asks whether an election could be won, before the term is raised (thesis §9.6). */
  readonly preVote: boolean
  /** The old leader asked for it (thesis §3.10). */
  readonly transfer: boolean
  readonly votes: Map<NodeId, boolean>
}

/** Reads that began together: one round of answers confirms them all (thesis §6.4). */
export interface ReadRound {
  readonly round: number
  /** commitIndex when the round began. */
  readonly index: Index
  readonly ids: readonly number[]
}

/** What only a leader has (Figure 2, volatile state on leaders). */
export interface Leadership {
  readonly followers: Map<NodeId, Progress>
  /** The no-op: the first entry of this leader's term. Nothing is served before it is committed (§8). */
  readonly firstIndex: Index
  /** Counts up; every AppendEntries carries it and every answer returns it. */
  round: number
  /** Reads that no round has begun for yet. */
  waitingReads: number[]
  /** Oldest first. */
  readonly readRounds: ReadRound[]
  /** Own entries not committed, one item per batch appended; `uncommittedBytes` is their sum. */
  readonly uncommitted: { readonly lastIndex: Index; readonly bytes: number }[]
  uncommittedBytes: number
  /** When rounds began, oldest first, as far back as a lease reaches; empty without leases. */
  readonly marks: { readonly round: number; readonly at: number }[]
  /** A hand-over under way (thesis §3.10); proposals wait outside until `until`. */
  transfer: { readonly to: NodeId; readonly until: number } | null
  /** TimeoutNow was sent in this term: from then on somebody may campaign at any time. */
  toldToCampaign: boolean
  /** The change of membership that this leader was asked for and that is not done. */
  change: Reconfiguration | null
  /** Followers that the latest configuration leaves out: they are told of it until then, and count for nothing. */
  readonly departing: Map<NodeId, number>
  /** Not null once this leader is about to leave office. */
  retirement: Retirement | null
  /** All followers are to acknowledge the log up to `index` in this round or a later one: then they are quiet. */
  settling: { readonly index: Index; readonly round: number } | null
  /** Until then reads under the lease are expected, and rounds begun for it. */
  leaseWantedUntil: number
  /** When followers that have not been told the commitIndex get a message of their own. */
  commitNoticeAt: number
  /** The last step of log time: how far it may go on is measured from here. Null before the first. */
  lastStamp: { readonly time: number; readonly now: number } | null
}

/** Leaving office: by `until`, whether or not somebody can take over. */
export interface Retirement {
  readonly until: number
  readonly why: string
}

/** A snapshot that is being received (§7). */
export interface Reception {
  readonly meta: SnapshotMeta
  readonly size: number
  readonly crc: number
  /** Bytes on disk aside. */
  offset: number
  /** The chunk that is being written or, with `done`, restored; null between two chunks. */
  writing: SnapshotChunk | null
  /** The last chunk was handed out; until it is reported written the log must not change. */
  installing: boolean
  /** Whom to answer when it is written. */
  from: NodeId
  round: number
}

export class State {
  readonly id: NodeId
  readonly incarnation: string
  /** Was it there from the beginning? Otherwise it was, or waits to be, added. */
  readonly bootstrapped: boolean
  readonly group: number
  readonly random: () => number
  readonly timing: Timing
  readonly limits: CoreLimits
  /** Of the input being handled; never goes back. */
  now: number

  /** Latest term seen; never decreases. On disk as soon as the next write is (Figure 2, persistent). */
  currentTerm: Term
  /** Who got the vote in currentTerm; '' for nobody. Persistent like the term. */
  votedFor: NodeId
  readonly log: Log
  readonly durability: Durability
  readonly configurations: Configurations
  /** Where own entries are encoded. */
  readonly records = new RecordWriter()

  /** Processes that beat and run this group, and what they claim; null when there are no beats. */
  readonly hosts: Map<NodeId, Claim> | null

  role: Role = 'follower'
  /** Who leads currentTerm; null while unknown. */
  leader: NodeId | null = null
  /** When the leader was last heard of. */
  leaderHeardAt = -Infinity
  /** With leases: before this, a server that restarted helps nobody to the lead, itself neither (thesis §6.4.1). */
  readonly quietUntil: number
  /** When to campaign unless something is heard before. */
  electionDeadline = Infinity

  /** Known to be committed; ≤ log.lastIndex. Never decreases. */
  commitIndex: Index
  /** The commitIndex that observers were last told. */
  announcedCommit: Index
  /** Handed out to be applied; ≤ min(commitIndex, durableIndex). Never decreases. */
  handedOutIndex: Index
  /** The state machine has applied up to here; ≤ handedOutIndex. */
  appliedIndex: Index

  /** Not null exactly while a candidate. */
  election: Election | null = null
  /** Not null exactly while the leader. */
  leadership: Leadership | null = null
  reception: Reception | null = null

  /** What the trace calls the input being handled; 0 while nobody traces. */
  cause = 0
  /** Numbers reads, over all terms. */
  lastReadId = 0
  outbox: Outbox = emptyOutbox()

  constructor(options: CoreOptions, limits: CoreLimits) {
    this.id = options.id
    this.incarnation = options.incarnation ?? ''
    this.bootstrapped = options.bootstrap !== null
    this.group = options.group ?? 0
    this.hosts = options.beats === true ? new Map() : null
    this.random = options.random
    this.timing = options.timing
    this.limits = limits
    this.now = options.now
    this.currentTerm = options.hardState.currentTerm
    this.votedFor = options.hardState.votedFor
    this.log = new Log(options)
    this.durability = new Durability(options.lastIndex)
    this.configurations = configurationsOf(options)
    this.commitIndex = options.snapshot?.index ?? 0
    this.announcedCommit = this.commitIndex
    this.handedOutIndex = this.commitIndex
    this.appliedIndex = this.commitIndex
    // Who never knew a term never promised anything.
    const mayHavePromised = this.membership.leases && this.currentTerm > 0
    this.quietUntil = mayHavePromised ? this.now + this.timing.electionTimeoutMsMax : -Infinity
  }

  get membership(): Membership {
    return this.configurations.latest
  }

  get hardState(): HardState {
    return { currentTerm: this.currentTerm, votedFor: this.votedFor }
  }

  /** Leaves at once. */
  send(to: NodeId, message: Message): void {
    this.outbox.sendNow.push(this.#envelope(to, message))
  }

  /** Leaves once term, vote and the log up to `index` are durable. */
  promise(to: NodeId, message: Message, index: Index = 0): void {
    this.durability.promise(this.#envelope(to, message), index, (envelope) =>
      this.outbox.sendNow.push(envelope),
    )
  }

  /** A message or a request that is not granted: the reason in words, for the trace. */
  refuse(to: NodeId, what: string, why: string): void {
    this.changed({ type: 'refused', to, what, term: this.currentTerm, why })
  }

  /** Tells observers about role, term and leader as they are now. */
  announceRole(why: string): void {
    const { role, currentTerm: term, leader } = this
    this.changed({ type: 'role', role, term, leader, why })
  }

  announceMembership(): void {
    const { latest: membership, latestIndex: index } = this.configurations
    this.changed({ type: 'membership', membership, index })
  }

  /** A change of membership is done, or has come to nothing. */
  reconfigured(failure: string | null): void {
    this.changed({ type: 'reconfigured', membership: this.membership, failure })
  }

  /** Observers will be told. */
  changed(change: Change): void {
    this.outbox.changes.push(this.cause === 0 ? change : { ...change, cause: this.cause })
  }

  #envelope(to: NodeId, message: Message): Envelope {
    return this.cause === 0 ? { to, message } : { to, message, cause: this.cause }
  }
}

function configurationsOf(options: CoreOptions): Configurations {
  const { snapshot, bootstrap, configurations } = options
  const first =
    snapshot === null ? (bootstrap ?? NO_MEMBERSHIP) : decodeMembership(snapshot.membership, snapshot.index)
  return new Configurations(first, configurations)
}

/** One core on a workbench: the test plays network, disk and clock, and sees everything that leaves. */
import { assert } from '@lab/rpc'
import { EntryKind, payloadOf, type Entry } from '../../../src/entry.ts'
import type { Envelope, Message } from '../../../src/core/messages.ts'
import { Raft } from '../../../src/core/raft.ts'
import type { Change, CoreLimits, Input, Proposed, ReadAnswer, Ready } from '../../../src/core/ready.ts'
import { encodeMembership } from '../../../src/core/membership.ts'
import type { MembershipChange } from '../../../src/core/membership-change.ts'
import type { ChangeAccepted } from '../../../src/core/reconfigure.ts'
import { makeEntry } from '../../../src/record.ts'
import type { Index, Membership, NodeId, Term } from '../../../src/types.ts'
import { FakeDisk } from './fake-disk.ts'

export const TIMING = { heartbeatMs: 50, electionTimeoutMsMin: 150, electionTimeoutMsMax: 300 }

export function membershipOf(voters: readonly NodeId[], rest: Partial<Membership> = {}): Membership {
  return {
    voters,
    votersOutgoing: [],
    learners: [],
    addresses: {},
    index: 0,
    incarnations: {},
    leases: false,
    ...rest,
  }
}

/** The payload of entry `index` of `term` in logs that tests make up: the same wherever it stands. */
export function entry(index: Index, term: Term, kind: EntryKind = EntryKind.command): Entry {
  return makeEntry({
    group: 0,
    kind,
    index,
    term,
    time: 0,
    payload: new TextEncoder().encode(`${String(index)}@${String(term)}`),
  })
}

/** Entries with these terms, from `first` on. */
export function entriesOf(terms: readonly Term[], first: Index = 1): Entry[] {
  return terms.map((term, at) => entry(first + at, term))
}

export interface OneServerOptions {
  readonly id?: NodeId
  readonly membership?: Membership
  /** Null: it waits to be added. */
  readonly bootstrap?: null
  readonly incarnation?: string
  /** The terms of the entries that its log begins with. */
  readonly log?: readonly Term[]
  /** Its last entry's term unless said otherwise. */
  readonly term?: Term
  readonly votedFor?: NodeId
  readonly snapshot?: { readonly index: Index; readonly term: Term }
  readonly limits?: Partial<CoreLimits>
  readonly random?: () => number
  /** Its process beats for all its groups. */
  readonly beats?: boolean
  /** True: writes stay in flight until `finishWrite`, fetches unanswered. */
  readonly slowDisk?: boolean
}

/** Server A of A, B, C, unless said otherwise. */
export class OneServer {
  readonly id: NodeId
  readonly disk = new FakeDisk()
  readonly options: OneServerOptions
  core: Raft
  now = 0
  slowDisk: boolean
  /** What left since the last look. */
  readonly sent: Envelope[] = []
  readonly changes: Change[] = []
  readonly reads: ReadAnswer[] = []
  readonly applied: Entry[] = []
  deadline = Infinity
  /** The write in flight. */
  writing: Pick<Ready, 'write' | 'sendWhenDurable'> | null = null
  /** Left to the test to answer. */
  readonly fetches: Ready['fetches'][number][] = []
  readonly snapshotReads: Ready['snapshotReads'][number][] = []
  readonly snapshotWrites: NonNullable<Ready['snapshotWrite']>[] = []

  constructor(options: OneServerOptions = {}) {
    this.options = options
    this.id = options.id ?? 'A'
    this.slowDisk = options.slowDisk ?? false
    const { snapshot, log = [] } = options
    const first = (snapshot?.index ?? 0) + 1
    this.disk.firstIndex = first
    this.disk.entries = entriesOf(log, first)
    if (snapshot !== undefined)
      this.disk.snapshot = {
        meta: { ...snapshot, membership: encodeMembership({ ...this.membership, index: snapshot.index }) },
        data: new Uint8Array(),
        crc: 0,
      }
    this.disk.hardState = {
      currentTerm: options.term ?? log.at(-1) ?? snapshot?.term ?? 0,
      votedFor: options.votedFor ?? '',
    }
    this.core = this.#start()
    this.work()
  }

  get membership(): Membership {
    return this.options.membership ?? membershipOf(['A', 'B', 'C'])
  }

  get status(): ReturnType<Raft['status']> {
    return this.core.status()
  }

  /** The log as terms, durable or not. */
  get logTerms(): Term[] {
    assert(this.writing === null, 'nothing is in flight')
    return this.disk.entries.map(({ term }) => term)
  }

  #start(): Raft {
    return new Raft({
      id: this.id,
      beats: this.options.beats ?? false,
      random: this.options.random ?? (() => 0.5),
      ...this.disk.recovered(),
      bootstrap: this.options.bootstrap === null ? null : this.membership,
      incarnation: this.options.incarnation ?? '',
      now: this.now,
      timing: TIMING,
      ...(this.options.limits === undefined ? {} : { limits: this.options.limits }),
    })
  }

  /** The process dies, with what was in flight, and starts again. */
  restart(): void {
    this.writing = null
    this.sent.length = 0
    this.core = this.#start()
    this.work()
  }

  step(input: Input): void {
    this.core.step(input, this.now)
    this.work()
  }

  receive(from: NodeId, message: Message): void {
    this.step({ type: 'message', from, message })
  }

  /** What left since the last time, all of it, or what left for `to`. */
  takeSent(to?: NodeId): Message[] {
    const all = this.sent.splice(0)
    return all.filter((envelope) => to === undefined || envelope.to === to).map(({ message }) => message)
  }

  /** As `takeSent`, of one type. */
  takeSentOf<T extends Message['type']>(type: T, to?: NodeId): Extract<Message, { type: T }>[] {
    return this.takeSent(to).filter(
      (message): message is Extract<Message, { type: T }> => message.type === type,
    )
  }

  /** Lets `ms` pass; deadlines are kept on the way. */
  pass(ms: number): void {
    const until = this.now + ms
    while (this.deadline <= until) {
      this.now = Math.max(this.now, this.deadline)
      this.step({ type: 'deadline' })
    }
    this.now = until
  }

  /** Lets time pass until the election timeout fires. */
  timeOut(): void {
    this.pass(this.deadline - this.now)
  }

  /** Wins an election with B's votes. What it appended and sent to get there is left in `sent`. */
  lead(): void {
    this.timeOut()
    const term = this.status.currentTerm + 1
    this.receive('B', { type: 'RequestVoteReply', term, preVote: true, voteGranted: true })
    this.receive('B', { type: 'RequestVoteReply', term, preVote: false, voteGranted: true })
    assert(this.status.role === 'leader', 'with B’s votes the election is won')
  }

  /** Wins an election, and B and C store its no-op; nothing is left in `sent`. */
  leadInPeace(followers: readonly NodeId[] = ['B', 'C']): void {
    this.lead()
    for (const id of followers) this.acknowledge(id)
    this.takeSent()
  }

  /** `from` stores everything up to `index`, and answers the newest round. */
  acknowledge(from: NodeId, index: Index = this.status.lastIndex, round = Number.MAX_SAFE_INTEGER): void {
    const term = this.status.currentTerm
    this.receive(from, {
      type: 'AppendEntriesReply',
      term,
      success: true,
      prevLogIndex: index,
      matchIndex: index,
      conflictIndex: 0,
      conflictTerm: 0,
      round,
    })
  }

  propose(...texts: string[]): Proposed {
    const payloads = texts.map((text) => new TextEncoder().encode(text))
    const proposed = this.core.propose(payloads, EntryKind.command, 1_000_000 + this.now, this.now)
    this.work()
    return proposed
  }

  /** Learners are waited for a second. */
  changeMembership(change: MembershipChange, ifIndex?: Index): ChangeAccepted {
    const accepted = this.core.changeMembership({ change, ifIndex, patienceMs: 1000 }, this.now)
    this.work()
    return accepted
  }

  read(): number {
    const id = this.core.readIndex(this.now)
    this.work()
    return id
  }

  finishWrite(): void {
    const { writing } = this
    assert(writing?.write != null, 'a write is in flight')
    this.writing = null
    this.disk.write(writing.write)
    this.sent.push(...writing.sendWhenDurable)
    this.step({ type: 'persisted', write: writing.write.id })
  }

  /** The payloads applied, as text; nothing for no-ops and configurations. */
  appliedTexts(): string[] {
    return this.applied
      .filter(({ kind }) => kind === EntryKind.command)
      .map((applied) => new TextDecoder().decode(payloadOf(applied)))
  }

  /** The reasons given for the refusals so far. */
  refusals(): string[] {
    return this.changes.flatMap((change) =>
      change.type === 'refused' ? [`${change.what}: ${change.why}`] : [],
    )
  }

  work(): void {
    while (this.core.hasReady()) {
      const ready = this.core.takeReady(this.now)
      this.sent.push(...ready.sendNow)
      this.changes.push(...ready.changes)
      this.reads.push(...ready.reads)
      const { committedOnDisk: range } = ready
      if (range !== null) this.applied.push(...this.disk.read(range.first, range.last, Infinity))
      this.applied.push(...ready.committed)
      this.snapshotReads.push(...ready.snapshotReads)
      if (ready.snapshotWrite !== null) this.snapshotWrites.push(ready.snapshotWrite)
      this.deadline = ready.deadline
      if (this.slowDisk) this.fetches.push(...ready.fetches)
      else
        for (const { to, first, last, bytesMax } of ready.fetches)
          this.core.step({ type: 'fetched', to, entries: this.disk.read(first, last, bytesMax) }, this.now)
      if (ready.write === null) continue
      this.writing = ready
      if (!this.slowDisk) this.finishWrite()
    }
  }
}

export function appendEntries(
  fields: Partial<Extract<Message, { type: 'AppendEntries' }>> & { readonly term: Term },
): Message {
  return {
    type: 'AppendEntries',
    prevLogIndex: 0,
    prevLogTerm: 0,
    entries: [],
    leaderCommit: 0,
    round: 1,
    ...fields,
  }
}

export function requestVote(
  fields: Partial<Extract<Message, { type: 'RequestVote' }>> & { readonly term: Term },
): Message {
  return { type: 'RequestVote', preVote: false, lastLogIndex: 0, lastLogTerm: 0, transfer: false, ...fields }
}

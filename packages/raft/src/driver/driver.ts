/**
 * The thin part around the pure core: feeds it what happened, and does the work that it hands out. One turn is
 *
 *     inbox ─▶ core.step each ─▶ takeReady ─┬─ sendNow
 *                                           ├─ write ─▶ disk ─▶ sendWhenDurable, then `persisted` into the inbox
 *                                           ├─ committed ─▶ applier ─▶ whoever proposed
 *                                           └─ deadline ─▶ timer
 *
 * It never waits for the disk: what arrives during a write is the next batch. Inputs that arrive in one turn of the event loop
 * are stepped together.
 */
import { toError, type Milliseconds } from '@lab/rpc'
import type { LeaseAnswer } from '../core/lease.ts'
import type { Envelope } from '../core/messages.ts'
import type { Change, CoreStatus, Input, Ready, Write } from '../core/ready.ts'
import { EntryKind, recordBytes, type Entry } from '../entry.ts'
import { RaftError } from '../errors.ts'
import { Applier } from '../rsm/applier.ts'
import type { Index, SnapshotMeta } from '../types.ts'
import type { Counters } from './counters.ts'
import { DeadlineTimer } from './deadline-timer.ts'
import { notProposed, stoppedBy, withOutcome, type NotProposed } from './driver-errors.ts'
import type { DriverOptions } from './driver-options.ts'
import { Inbox } from './inbox.ts'
import { Meter } from './meter.ts'
import { PendingChange } from './pending-change.ts'
import { PendingProposals, type Proposing } from './pending-proposals.ts'
import { PendingReads } from './pending-reads.ts'
import { Snapshots } from './snapshots.ts'
import { AppliedWaiters } from './waiters.ts'

export class Driver {
  readonly meter: Meter
  readonly counters: Counters
  readonly #options: DriverOptions
  readonly #inbox: Inbox
  readonly #proposals: PendingProposals
  readonly #reads = new PendingReads()
  readonly #waiters = new AppliedWaiters()
  readonly change: PendingChange
  readonly #applier: Applier
  readonly #snapshots: Snapshots
  readonly #timer: DeadlineTimer
  /** Until then inputs wait. */
  #begun = false
  #scheduled = false
  #writing: Promise<void> = Promise.resolve()
  /** Why nothing is done any more; null while running. */
  #stopped: (() => RaftError) | null = null

  constructor(options: DriverOptions) {
    this.#options = options
    this.meter = new Meter(options.requestKinds)
    this.counters = this.meter.counters
    this.#inbox = new Inbox(options.core, options.trace)
    this.change = new PendingChange(options.core, options.clock, () => this.#schedule())
    const { clock, storage, machine, limits, precedence } = options
    const isWaitedFor = (): boolean => this.#waiters.size > 0 || this.status.role === 'leader'
    this.#proposals = new PendingProposals(limits, this.meter.requests)
    const onFailure = (error: Error): void => this.fail(error)
    this.#applier = new Applier({
      clock,
      storage,
      machine,
      onApplied: (entry, reply) => this.#applied(entry, reply),
      onProgress: (index) => this.#progressed(index),
      stored: options.core.status().lastIndex,
      restPerSlice: () => precedence.restPerSlice('replay', isWaitedFor()),
      onStarting: (atWork) => (precedence.atWork = atWork),
      onFailure,
    })
    this.#snapshots = new Snapshots({
      ...{ clock, storage, machine },
      core: options.core,
      applier: this.#applier,
      everyBytes: limits.snapshotEveryBytes,
      trailingBytes: limits.trailingBytes,
      input: (input) => this.input(input),
      onTaken: (meta, bytes, { ms, why }) => {
        this.meter.tookSnapshot(bytes, ms)
        options.trace?.snapshot(meta, bytes, why)
        options.observer.tookSnapshot(meta, bytes, ms)
      },
      onInstalled: (meta, bytes) => {
        this.counters.snapshotsInstalled++
        options.trace?.installed(meta, bytes)
      },
      restPerSlice: () => precedence.restPerSlice('restore', isWaitedFor()),
      sendingSnapshot: options.sendingSnapshot,
      onFailure,
    })
    this.#timer = new DeadlineTimer({
      clock,
      stallMs: limits.stallMs,
      onDue: () => {
        if (this.#inbox.mayLead) options.whenDue(() => this.input({ type: 'deadline' }))
      },
      onStall: (lateMs) => {
        this.meter.stalled(lateMs)
        options.trace?.stall(lateMs)
        options.observer.stalled(lateMs)
      },
    })
  }

  /** Takes part, and leads only once the newest snapshot is restored: it resolves then. @throws what the state machine throws */
  async start(): Promise<void> {
    this.checkRunning()
    this.#begun = true
    this.#schedule()
    await this.#snapshots.begin()
    this.#inbox.mayLead = true
    this.#schedule()
  }

  get status(): CoreStatus {
    return this.#options.core.status()
  }

  get lastApplied(): Index {
    return this.#applier.lastApplied
  }

  /** Does this server start, and is another one that does to be ready before it? */
  get givesWay(): boolean {
    return this.#applier.isStarting && this.#options.precedence.givesWay
  }

  /** Proposals that wait here, and their bytes. */
  get pending(): { readonly count: number; readonly bytes: number } {
    return { count: this.#proposals.size, bytes: this.#proposals.bytes }
  }

  /** @throws {RaftError} `CLOSED` once it has stopped */
  checkRunning(): void {
    if (this.#stopped !== null) throw this.#stopped()
  }

  /** Takes note of what happened; the core sees it before this turn of the event loop ends. */
  input(input: Input): void {
    if (this.#stopped !== null) return
    this.#inbox.push(input)
    this.#schedule()
  }

  /**
   * Appends `payload` when this server leads, together with all that is proposed in this turn.
   *
   * @returns the reply, once applied here
   * @throws {RaftError} `NOT_LEADER`, `BUSY`, `LEADERSHIP_LOST`, `CLOSED`, each with its outcome
   */
  propose(payload: Uint8Array): Promise<Uint8Array> {
    return new Promise((resolve, reject) => {
      this.submit([payload], {
        applied: (_, reply) => resolve(reply),
        failed: (_, error) => reject(error),
      })
    })
  }

  /** {@link propose} for any number of commands, next to each other in the log: those for which there is no room fail at once. */
  submit(payloads: readonly Uint8Array[], proposing: Proposing): void {
    const stopped = this.#stopped
    const room = stopped === null ? this.#proposals.room(payloads) : 0
    if (room > 0) this.#add(room === payloads.length ? payloads : payloads.slice(0, room), proposing)
    if (room === payloads.length) return
    // One error for all: under overload these are most of what is asked, and must cost next to nothing.
    const refused = payloads.length - room
    const error =
      stopped === null ? this.#notProposed('busy', refused) : withOutcome(stopped(), 'not-applied')
    for (let place = room; place < payloads.length; place++) {
      this.meter.requests.failed(payloads[place] as Uint8Array, error.code, null)
      proposing.failed(place, error)
    }
  }

  #add(payloads: readonly Uint8Array[], proposing: Proposing): void {
    this.#schedule()
    const call = this.#options.trace?.call(payloads, proposing)
    if (call !== undefined) this.#inbox.called(call.event)
    this.#proposals.add(payloads, call?.told ?? proposing)
  }

  /** Resolves with the index to be applied before a linearizable read. @throws {RaftError} `NOT_LEADER`, `CLOSED` */
  readIndex(): Promise<Index> {
    if (this.#stopped !== null) return Promise.reject(this.#stopped())
    this.#schedule()
    return this.#reads.ask()
  }

  /** The index to be applied before a read under this leader's lease: true now, in this turn. @throws {RaftError} `CLOSED` */
  leaseIndex(): LeaseAnswer {
    this.checkRunning()
    return this.#options.core.leaseIndex(this.#options.clock.now())
  }

  /** @throws {RaftError} `CLOSED` */
  async waitApplied(index: Index): Promise<void> {
    if (this.lastApplied >= index) return
    this.checkRunning()
    await this.#waiters.wait(index)
  }

  get makesSnapshot(): boolean {
    return this.#snapshots.taking
  }

  /** Makes a snapshot of what is applied. */
  async snapshot(): Promise<SnapshotMeta> {
    this.checkRunning()
    return this.#snapshots.take('asked for')
  }

  /** Stops at once; all that wait fail with `makeError`. Resolves when nothing of ours touches the storage any more. */
  async stop(makeError: () => RaftError): Promise<void> {
    if (this.#stopped === null) {
      this.#stopped = makeError
      this.#timer.cancel()
      this.#applier.stop()
      this.#inbox.clear()
      this.#proposals.close((outcome) => withOutcome(makeError(), outcome))
      this.#reads.fail(makeError)
      this.#waiters.fail(makeError)
      this.change.stop(makeError)
    }
    await this.#writing
    await this.#snapshots.close()
  }

  #schedule(): void {
    if (this.#scheduled || !this.#begun || this.#stopped !== null) return
    this.#scheduled = true
    void Promise.resolve().then(this.#turn) // Node wraps what queueMicrotask gets in an async resource.
  }

  readonly #turn = (): void => {
    this.#scheduled = false
    if (this.#stopped !== null) return
    const { core, clock, send, trace } = this.#options
    try {
      const now = clock.now()
      this.#inbox.step(now)
      this.#append(now)
      if (this.#reads.waiting) this.#reads.asked(core.readIndex(now))
      const ready = core.takeReady(now)
      trace?.ready(ready, core, this.#inbox.cause)
      send(ready.sendNow)
      this.counters.messagesSent += ready.sendNow.length
      if (ready.write !== null) this.#write(ready.write, ready.sendWhenDurable)
      this.#apply(ready)
      this.#serve(ready)
      this.#observe(ready.changes)
      this.#timer.set(ready.deadline)
    } catch (thrown) {
      this.fail(toError(thrown)) // A bug: going on could break a promise.
    }
  }

  #append(now: Milliseconds): void {
    const payloads = this.#proposals.queued()
    if (payloads.length === 0) return
    const { core, clock } = this.#options
    this.#inbox.beginProposals()
    const proposed = core.propose(payloads, EntryKind.command, clock.wallTime(), now)
    if (proposed.ok) {
      this.#proposals.appended(proposed.index, proposed.term, now)
      this.counters.proposals += payloads.length
    } else this.#proposals.refused(() => this.#notProposed(proposed.why))
  }

  #write(write: Write, sendWhenDurable: readonly Envelope[]): void {
    const { clock, storage, send, trace } = this.#options
    const begun = clock.now()
    this.#writing = storage.write(write).then(
      () => {
        if (this.#stopped !== null) return
        const bytes = write.entries.reduce((sum, entry) => sum + recordBytes(entry), 0)
        this.meter.persisted(bytes, clock.now() - begun)
        this.counters.messagesSent += sendWhenDurable.length
        trace?.persisted(write, bytes, clock.now() - begun)
        send(sendWhenDurable)
        this.input({ type: 'persisted', write: write.id })
      },
      (thrown: unknown) => this.fail(toError(thrown)),
    )
  }

  #apply({ committed, committedOnDisk, reads }: Ready): void {
    if (committedOnDisk !== null) this.#applier.pushRange(committedOnDisk.first, committedOnDisk.last)
    this.#applier.push(committed)
    this.#reads.answer(reads)
  }

  #serve({ fetches, snapshotReads, snapshotWrite }: Ready): void {
    const { storage } = this.#options
    for (const { to, first, last, bytesMax } of fetches)
      storage.read(first, last, bytesMax).then(
        (entries) => this.input({ type: 'fetched', to, entries }),
        (thrown: unknown) => this.fail(toError(thrown)),
      )
    for (const read of snapshotReads) this.#snapshots.serve(read)
    if (snapshotWrite !== null) this.#snapshots.receive(snapshotWrite)
  }

  #observe(changes: readonly Change[]): void {
    const { core, observer } = this.#options
    for (const change of changes) {
      if (change.type === 'role') {
        const term = change.role === 'leader' ? change.term : 0
        this.counters.proposalsFailed += this.#proposals.leadershipLost(term, core.status().commitIndex)
        this.meter.roleChanged(change)
        if (change.role !== 'leader') this.#snapshots.stopSending()
      }
      if (change.type === 'committed') this.counters.commits = change.index
      this.change.observe(change)
      observer.changed(change)
    }
  }

  #applied(entry: Entry, reply: Uint8Array | null): void {
    this.counters.applied++
    this.#snapshots.applied(entry.index, recordBytes(entry))
    this.#options.trace?.apply(entry)
    if (reply !== null) this.#proposals.applied(entry.index, entry.term, reply)
    this.#options.observer.applied(entry)
  }

  #progressed(lastApplied: Index): void {
    this.#proposals.progressed(this.#options.clock.now())
    this.#waiters.applied(lastApplied)
    // Nothing follows from it for the core: no reason for a turn.
    if (this.#stopped === null) this.#inbox.push({ type: 'applied', index: lastApplied })
    this.#snapshots.takeIfDue()
  }

  #notProposed(why: NotProposed, count = 1): RaftError {
    this.counters.proposalsFailed += count
    if (why !== 'not-leader') this.counters.refusedBusy += count
    return notProposed(why)
  }

  /** Stops for good: what was promised so far stands, nothing more is promised. */
  fail(error: Error): void {
    if (this.#stopped !== null) return
    const fatal = error instanceof RaftError ? error : stoppedBy(error)
    void this.stop(() => new RaftError('CLOSED', fatal.message, { cause: fatal }))
    this.#options.observer.failed(fatal)
  }
}

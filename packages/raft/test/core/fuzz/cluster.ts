/**
 * A cluster of cores in virtual time: a queue of things that will happen, and around every core the smallest driver there can
 * be. One seed fixes everything; every invariant is checked after every step.
 */
import { assert, seededRandom, type Random } from '@lab/rpc'
import { crc32 } from '../../../src/crc32.ts'
import { EntryKind } from '../../../src/entry.ts'
import { membersOf } from '../../../src/core/membership.ts'
import type { MembershipChange } from '../../../src/core/membership-change.ts'
import type { Envelope } from '../../../src/core/messages.ts'
import { Raft } from '../../../src/core/raft.ts'
import type { CoreLimits, Input, Ready, SnapshotChunk, Timing } from '../../../src/core/ready.ts'
import type { Entry } from '../../../src/entry.ts'
import type { Membership, NodeId } from '../../../src/types.ts'
import { decodeMessage, encodeMessage } from '../../../src/wire.ts'
import { FakeDisk } from '../support/fake-disk.ts'
import { countChange, makeCounts } from './counts.ts'
import { CALM, type Faults } from './faults.ts'
import { Invariants, nextState } from './invariants.ts'
import { admits, isMember } from './members.ts'
import { Schedule } from './schedule.ts'
import { makeServer, type Server } from './server.ts'
import { chunkOf, snapshotOf, stateIn } from './snapshot-bytes.ts'

export interface ClusterOptions {
  readonly seed: number
  readonly membership: Membership
  /** Servers that begin empty and wait to be added. */
  readonly spares?: readonly NodeId[]
  readonly timing: Timing
  readonly limits: CoreLimits
  /** Applied entries after which a server makes a snapshot; Infinity for never. */
  readonly snapshotEvery: number
}

export class Cluster {
  readonly random: Random
  readonly options: ClusterOptions
  readonly disks = new Map<NodeId, FakeDisk>()
  readonly servers: Server[]
  readonly invariants: Invariants
  readonly faults: Faults = { ...CALM, cut: new Set() }
  now = 0
  /** What happened, for comparing runs. */
  digest = 0
  readonly counts = makeCounts()
  /** When a change that adds it was last asked for: what it says of the server's disk may reach the log later. */
  readonly namedAt = new Map<NodeId, number>()
  readonly #schedule = new Schedule()
  /** What was so when leases were last looked at. */
  #leasesSeen = ''

  constructor(options: ClusterOptions) {
    this.options = options
    this.random = seededRandom(options.seed)
    const { membership, spares = [] } = options
    this.servers = [...membersOf(membership), ...spares].map((id) => {
      this.disks.set(id, new FakeDisk())
      return makeServer(id, 0.955 + 0.09 * this.random.next())
    })
    this.invariants = new Invariants(this.disks)
    for (const server of this.servers) this.start(server)
  }

  server(id: NodeId): Server {
    const found = this.servers.find((server) => server.id === id)
    assert(found !== undefined, `there is a server ${id}`)
    return found
  }

  leader(): Server | undefined {
    const leaders = this.servers.filter((server) => server.core?.status().role === 'leader')
    return leaders.sort(
      (a, b) => (b.core?.status().currentTerm ?? 0) - (a.core?.status().currentTerm ?? 0),
    )[0]
  }

  disk(id: NodeId): FakeDisk {
    const disk = this.disks.get(id)
    assert(disk !== undefined, `there is a disk of ${id}`)
    return disk
  }

  start(server: Server): void {
    const { options, random } = this
    const disk = this.disk(server.id)
    server.life++
    server.applied = disk.snapshot?.meta.index ?? 0
    server.state = disk.snapshot === null ? 0 : stateIn(disk.snapshot.data)
    server.core = new Raft({
      id: server.id,
      incarnation: String(server.incarnation),
      random: () => random.next(),
      ...disk.recovered(),
      bootstrap:
        server.incarnation === 0 && isMember(options.membership, server.id) ? options.membership : null,
      now: this.#clockOf(server),
      timing: options.timing,
      limits: options.limits,
    })
    this.#work(server)
  }

  /** The process is gone; a write that was under way may or may not have reached the disk. */
  crash(server: Server): void {
    server.core = null
    server.life++
    server.deadline = Infinity
    server.restoring = false
    server.reads.clear()
    this.disk(server.id).crash()
    this.invariants.crashed(server.id)
  }

  /** A new disk: whoever it was is gone, and what has the same name now knows nothing. */
  wipe(server: Server): void {
    this.crash(server)
    this.disks.set(server.id, new FakeDisk())
    server.incarnation++
    server.life++
    this.counts.wipes++
  }

  /** Asks `server` to change who takes part. */
  reconfigure(server: Server, change: MembershipChange): void {
    if (server.core === null) return
    const incarnations = Object.fromEntries(
      this.servers.map(({ id, incarnation }) => [id, String(incarnation)]),
    )
    const patienceMs = this.random.integer(20, 400)
    const taken = server.core.changeMembership(
      { change: { ...change, incarnations }, patienceMs },
      this.#clockOf(server),
    )
    if (taken.ok) this.counts.changes++
    for (const id of Object.keys({ ...change.add, ...change.addLearners })) this.namedAt.set(id, this.now)
    this.#work(server)
  }

  step(server: Server, input: Input): void {
    if (server.core === null) return
    server.core.step(input, this.#clockOf(server))
    this.#work(server)
  }

  propose(server: Server, payloads: readonly Uint8Array[]): void {
    if (server.core === null) return
    const now = this.#clockOf(server)
    const proposed = server.core.propose(payloads, EntryKind.command, 1_000_000 + this.now, now)
    if (!proposed.ok && proposed.why === 'busy') this.counts.busy++
    this.#work(server)
  }

  read(server: Server): void {
    if (server.core === null) return
    server.reads.set(server.core.readIndex(this.#clockOf(server)), this.invariants.commitIndex)
    this.#work(server)
  }

  /** Lets time pass until `until`; one thing happens at a time. */
  run(until: number): void {
    for (;;) {
      const next = this.#schedule.first
      const due = this.servers.reduce((a, b) => (b.deadline < a.deadline ? b : a))
      const at = Math.min(next?.at ?? Infinity, due.deadline)
      if (at > until) break
      this.now = Math.max(this.now, at)
      if (next !== undefined && next.at <= due.deadline) {
        this.#schedule.take()
        next.run()
      } else {
        due.deadline = Infinity
        this.step(due, { type: 'deadline' })
      }
      this.#checkLeases()
    }
    this.now = Math.max(this.now, until)
  }

  #clockOf({ rate }: Server): number {
    return this.now * rate
  }

  /** Whoever could read without asking anybody now would see all that is committed. */
  #checkLeases(): void {
    const { commitIndex, lastTerm } = this.invariants
    const seen = `${String(commitIndex)} ${String(lastTerm)} ${this.now.toFixed(0)}`
    if (seen === this.#leasesSeen) return
    this.#leasesSeen = seen
    for (const server of this.servers) {
      const answer = server.core?.leaseIndex(this.#clockOf(server))
      if (server.core === null || answer?.ok !== true) continue
      this.counts.leases++
      this.invariants.leaseHeld(server.core.status(), answer.index)
    }
  }

  #after(delay: number, run: () => void): void {
    this.#schedule.add(this.now + delay, run)
  }

  /** Later, if the server still lives the same life. */
  #later(server: Server, delay: number, run: () => void): void {
    const { life } = server
    this.#after(delay, () => {
      if (server.life === life) run()
    })
  }

  #diskDelay(): number {
    return 0.1 + this.random.next() * this.faults.diskMsMax
  }

  /** The driver: does what a Ready says, in the order of its fields. */
  #work(server: Server): void {
    while (server.core?.hasReady() === true) {
      const ready = server.core.takeReady(this.#clockOf(server))
      for (const change of ready.changes) countChange(this.counts, change)
      this.invariants.status(server.core.status())
      this.#send(server, ready.sendNow)
      this.#write(server, ready)
      this.#apply(server, ready)
      this.#answer(server, ready)
      this.#serve(server, ready)
      // A little later, lest rounding wake it before its time.
      server.deadline = ready.deadline / server.rate + 1e-6
      this.#maybeSnapshot(server)
    }
  }

  #send(server: Server, envelopes: readonly Envelope[]): void {
    const { faults, random } = this
    const from = {
      id: server.id,
      incarnation: server.incarnation,
      index: server.core?.status().membership.index ?? 0,
    }
    for (const envelope of envelopes) {
      this.invariants.sent(server.id, envelope)
      const bytes = encodeMessage(envelope.message)
      this.counts.messages++
      this.digest = crc32(bytes, 0, bytes.length, this.digest)
      const copies = random.next() < faults.duplication ? 2 : 1
      for (let copy = 0; copy < copies; copy++) {
        if (random.next() < faults.loss) continue
        this.#after(0.2 + random.next() * faults.delayMsMax, () => {
          if (faults.cut.has(`${server.id}>${envelope.to}`)) return
          const message = decodeMessage(bytes)
          const to = this.server(envelope.to)
          if (admits(to.core, this.disk(to.id), from, this.counts))
            this.step(to, { type: 'message', from: server.id, message })
        })
      }
    }
  }

  #write(server: Server, { write, sendWhenDurable }: Ready): void {
    if (write === null) return
    const disk = this.disk(server.id)
    const { life } = server
    this.#after(this.#diskDelay(), () => {
      // A crash before this moment may have lost it, or only the news of it.
      if (server.life !== life && this.random.next() < 0.5) return
      if (server.life > life + 1 || (server.life !== life && server.core !== null)) return
      disk.write(write)
      for (const entry of write.entries) this.invariants.stored(entry, disk.termAt(entry.index - 1))
      if (server.life !== life) return
      this.#send(server, sendWhenDurable)
      this.step(server, { type: 'persisted', write: write.id })
    })
  }

  #apply(server: Server, { committed, committedOnDisk }: Ready): void {
    const disk = this.disk(server.id)
    const fromDisk =
      committedOnDisk === null ? [] : disk.read(committedOnDisk.first, committedOnDisk.last, Infinity)
    for (const entry of [...fromDisk, ...committed]) this.#applyEntry(server, entry)
  }

  #applyEntry(server: Server, entry: Entry): void {
    assert(
      entry.index === server.applied + 1,
      `${server.id} applies ${String(entry.index)} after ${String(server.applied)}`,
    )
    this.invariants.committed(server.id, entry)
    server.state = nextState(server.state, entry)
    server.applied = entry.index
    this.invariants.applied(server.id, entry.index, server.state)
  }

  #answer(server: Server, { reads }: Ready): void {
    for (const { id, index } of reads) {
      const committedBefore = server.reads.get(id)
      assert(committedBefore !== undefined, 'a read is answered once')
      server.reads.delete(id)
      if (index === null) continue
      this.counts.reads++
      this.invariants.readAnswered(server.id, committedBefore, index)
    }
  }

  #serve(server: Server, ready: Ready): void {
    const disk = this.disk(server.id)
    for (const { to, first, last, bytesMax } of ready.fetches) {
      this.counts.fetches++
      this.#later(server, this.#diskDelay(), () => {
        this.step(server, { type: 'fetched', to, entries: disk.read(first, last, bytesMax) })
      })
    }
    for (const { to, index, offset, bytesMax } of ready.snapshotReads)
      this.#later(server, this.#diskDelay(), () => {
        this.step(server, { type: 'snapshotRead', to, chunk: chunkOf(disk, index, offset, bytesMax) })
      })
    const chunk = ready.snapshotWrite
    if (chunk !== null) this.#receiveChunk(server, chunk)
  }

  #receiveChunk(server: Server, chunk: SnapshotChunk): void {
    const disk = this.disk(server.id)
    const { index } = chunk.meta
    this.counts.chunks++
    server.restoring ||= chunk.done
    this.#later(server, this.#diskDelay(), () => {
      const damaged = this.faults.loss > 0 && this.random.next() < 0.03
      const ok = !damaged && disk.receive(chunk)
      if (damaged) disk.crash()
      if (chunk.done) server.restoring = false
      if (chunk.done && ok) {
        this.counts.restores++
        server.applied = index
        server.state = stateIn(disk.snapshot?.data ?? new Uint8Array())
        this.invariants.applied(server.id, index, server.state)
      }
      this.step(server, { type: 'snapshotWritten', index, offset: chunk.offset, done: chunk.done, ok })
    })
  }

  #maybeSnapshot(server: Server): void {
    const { core, applied } = server
    const disk = this.disk(server.id)
    const before = disk.snapshot?.meta.index ?? 0
    if (core === null || server.restoring || applied - before < this.options.snapshotEvery) return
    const meta = core.snapshotMetaAt(applied)
    const data = snapshotOf(server.state, applied)
    const compactTo = Math.max(applied - this.random.integer(0, 10), disk.firstIndex - 1)
    disk.save({ meta, data, crc: crc32(data) }, compactTo)
    core.step({ type: 'compacted', meta, compactTo }, this.#clockOf(server))
  }
}

/**
 * Our own core behind the labs' interface: its first adapter, and a driver of another kind than `RaftNode`. Messages that
 * expect an answer travel as calls, and the answer as the call's reply.
 *
 *     handler ─▶ decode ─▶ step ─┐                ┌─ write ─▶ CoreDisk ─▶ step persisted, at once
 *     start ───▶ propose ────────┼─▶ takeReady ───┼─ answer to the caller ─▶ the handler's reply
 *     timer ───▶ step deadline ──┘   until quiet  ├─ other messages ─▶ peers[to].call ─▶ step its reply
 *                                                 └─ committed ─▶ apply
 */
import { assert, type Timer } from '@lab/rpc'
import type { Envelope, Message } from '../core/messages.ts'
import { Raft } from '../core/raft.ts'
import type { CoreLimits, Input, Ready, SnapshotChunk, Timing } from '../core/ready.ts'
import { crc32 } from '../crc32.ts'
import { EntryKind, payloadOf, type Entry } from '../entry.ts'
import type { Index, NodeId } from '../types.ts'
import { CoreDisk } from './lab-core-disk.ts'
import { isReply, pack, unpack } from './lab-core-messages.ts'
import { CoreSnapshotReceiver, packSnapshot } from './lab-core-snapshot.ts'
import {
  NotLeader,
  type LabApply,
  type LabCommand,
  type LabEnv,
  type LabMake,
  type LabPeer,
  type LabPersister,
  type LabRaft,
  type Started,
} from './lab-interface.ts'
import { nameOf } from './lab-safety.ts'

/** Slow enough for the labs' ten heartbeats a second, and for their replies that are held back for seconds. */
export const labTiming: Timing = { heartbeatMs: 120, electionTimeoutMsMin: 400, electionTimeoutMsMax: 800 }

export interface LabCoreOptions {
  /** Default: {@link labTiming}. */
  readonly timing?: Timing
  readonly limits?: Partial<CoreLimits>
}

const encoder = new TextEncoder()
const decoder = new TextDecoder()

/** The call whose handler is at work: the reply that the core sends to `to` is its answer. */
interface Answer {
  readonly to: NodeId
  message: Message | null
}

class LabCore implements LabRaft {
  readonly handlers: LabRaft['handlers']
  readonly #peers: readonly LabPeer[]
  readonly #me: number
  readonly #disk: CoreDisk
  readonly #apply: LabApply
  readonly #env: LabEnv
  readonly #raft: Raft
  readonly #receiver = new CoreSnapshotReceiver()
  #state = { term: 0, isLeader: false }
  /** Commands applied or covered by a snapshot: the labs' index of the last one. */
  #applied: number
  #answer: Answer | null = null
  #timer: Timer | null = null
  #workDue = false
  #killed = false

  constructor(
    peers: readonly LabPeer[],
    me: number,
    persister: LabPersister,
    apply: LabApply,
    env: LabEnv,
    options: LabCoreOptions = {},
  ) {
    this.#peers = peers
    this.#me = me
    this.#apply = apply
    this.#env = env
    const serve = (args: Uint8Array): Uint8Array | null => this.#serve(args)
    this.handlers = { RequestVote: serve, AppendEntries: serve, InstallSnapshot: serve, TimeoutNow: serve }
    const disk = new CoreDisk(persister)
    this.#disk = disk
    this.#applied = disk.snapshot?.commands ?? 0
    this.#raft = new Raft({
      id: nameOf(me),
      random: () => env.random.next(),
      hardState: disk.hardState,
      snapshot: disk.snapshot?.meta ?? null,
      firstIndex: disk.firstIndex,
      lastIndex: disk.lastIndex,
      terms: disk.terms(),
      configurations: disk.configurations(),
      lastTime: disk.entries(disk.lastIndex, disk.lastIndex)[0]?.time ?? 0,
      bootstrap: {
        voters: peers.map((_, server) => nameOf(server)),
        votersOutgoing: [],
        learners: [],
        addresses: {},
        index: 0,
        incarnations: {},
        leases: false,
      },
      now: env.clock.now(),
      timing: options.timing ?? labTiming,
      ...(options.limits === undefined ? {} : { limits: options.limits }),
    })
    this.#state.term = disk.hardState.currentTerm
    this.#work()
  }

  start(command: LabCommand): Started | NotLeader {
    if (this.#killed) return NotLeader
    const proposed = this.#raft.propose(
      encoder.encode(JSON.stringify(command)),
      EntryKind.command,
      this.#env.clock.wallTime(),
      this.#now,
    )
    if (!proposed.ok) return NotLeader
    // What is proposed in one turn goes out together: one write, and one call to each follower.
    this.#workSoon()
    const written = this.#disk.lastIndex
    return {
      index: this.#disk.commandsTo(written) + (proposed.index - written),
      term: proposed.term,
    }
  }

  getState(): { readonly term: number; readonly isLeader: boolean } {
    return this.#state
  }

  snapshot(index: number, blob: Uint8Array): void {
    const last = this.#disk.indexOfCommand(index)
    if (last === 0 || this.#killed) return
    const meta = this.#raft.snapshotMetaAt(last)
    this.#disk.saveSnapshot({ meta, commands: index }, blob)
    this.#step({ type: 'compacted', meta, compactTo: last })
    this.#work()
  }

  kill(): void {
    this.#killed = true
    this.#timer?.cancel()
  }

  #serve(args: Uint8Array): Uint8Array | null {
    if (this.#killed) return null
    const { from, message } = unpack(args)
    const answer: Answer = { to: from, message: null }
    this.#answer = answer
    this.#step({ type: 'message', from, message })
    this.#work()
    this.#answer = null
    return answer.message === null ? null : pack(this.#me, answer.message)
  }

  /** Does what the core wants done, until it wants nothing more. */
  #work(): void {
    for (;;) {
      const ready = this.#raft.takeReady(this.#now)
      const inputs = this.#carryOut(ready)
      if (inputs.length === 0) {
        this.#awaitDeadline(ready.deadline)
        return
      }
      for (const input of inputs) this.#step(input)
    }
  }

  #workSoon(): void {
    if (this.#workDue) return
    this.#workDue = true
    Promise.resolve()
      .then(() => {
        this.#workDue = false
        if (!this.#killed) this.#work()
      })
      .catch(this.#env.fail)
  }

  /** In the order of Ready's fields. @returns what came of it, to be stepped */
  #carryOut(ready: Ready): Input[] {
    const inputs: Input[] = []
    for (const change of ready.changes) {
      if (change.type === 'role') {
        this.#state = { term: change.term, isLeader: change.role === 'leader' }
        this.#env.note('role', `${change.role} in term ${String(change.term)}: ${change.why}`)
      } else if (change.type === 'refused') {
        this.#env.note('refuse', `${change.what} of ${change.to}: ${change.why}`)
      } else if (change.type === 'truncated') {
        this.#env.note('truncate', `from ${String(change.from)}: ${change.why}`)
      }
    }
    for (const envelope of ready.sendNow) this.#send(envelope)
    if (ready.write !== null) {
      this.#disk.write(ready.write)
      inputs.push({ type: 'persisted', write: ready.write.id })
    }
    for (const envelope of ready.sendWhenDurable) this.#send(envelope)
    const { committedOnDisk: range } = ready
    const before = range === null ? [] : this.#disk.entries(range.first, range.last)
    for (const entry of [...before, ...ready.committed]) {
      this.#applyEntry(entry)
      inputs.push({ type: 'applied', index: entry.index })
    }
    for (const { to, first, last } of ready.fetches)
      inputs.push({ type: 'fetched', to, entries: this.#disk.entries(first, last) })
    for (const { to, index, offset, bytesMax } of ready.snapshotReads)
      inputs.push({ type: 'snapshotRead', to, chunk: this.#readSnapshot(index, offset, bytesMax) })
    if (ready.snapshotWrite !== null) inputs.push(this.#writeSnapshot(ready.snapshotWrite))
    return inputs
  }

  #applyEntry(entry: Entry): void {
    if (entry.kind !== EntryKind.command) return
    const command = JSON.parse(decoder.decode(payloadOf(entry))) as LabCommand
    this.#apply({ type: 'command', index: ++this.#applied, command })
  }

  /** A reply answers the call at work; anything else is a call of its own, and what it returns is stepped. */
  #send({ to, message }: Envelope): void {
    if (isReply(message)) {
      const answer = this.#answer
      if (answer?.to === to) answer.message = message
      return
    }
    const peer = this.#peers.find((_, server) => nameOf(server) === to)
    assert(peer !== undefined, 'messages go to members')
    peer
      .call(message.type, pack(this.#me, message))
      .then((reply) => {
        if (!(reply instanceof Uint8Array) || this.#killed) return
        this.#step({ type: 'message', ...unpack(reply) })
        this.#work()
      })
      .catch(this.#env.fail)
  }

  #readSnapshot(index: Index, wanted: number, bytesMax: number): SnapshotChunk | null {
    const { snapshot } = this.#disk
    if (snapshot === null) return null
    // A newer one than the follower began with starts over.
    const offset = snapshot.meta.index === index ? wanted : 0
    const bytes = packSnapshot(snapshot.commands, this.#disk.readSnapshot())
    const data = bytes.subarray(offset, offset + bytesMax)
    return {
      meta: snapshot.meta,
      size: bytes.length,
      crc: crc32(bytes),
      offset,
      data,
      done: offset + data.length === bytes.length,
    }
  }

  #writeSnapshot(chunk: SnapshotChunk): Input {
    const { offset, done } = chunk
    const received = this.#receiver.take(chunk)
    if (received !== null) {
      this.#disk.saveSnapshot({ meta: chunk.meta, commands: received.commands }, received.blob)
      this.#applied = received.commands
      this.#apply({ type: 'snapshot', index: received.commands, snapshot: received.blob })
    }
    return { type: 'snapshotWritten', index: chunk.meta.index, offset, done, ok: !done || received !== null }
  }

  #awaitDeadline(deadline: number): void {
    this.#timer?.cancel()
    if (deadline === Infinity || this.#killed) return
    this.#timer = this.#env.clock.setTimer(deadline - this.#now, () => {
      this.#step({ type: 'deadline' })
      this.#work()
    })
  }

  #step(input: Input): void {
    this.#raft.step(input, this.#now)
  }

  get #now(): number {
    return this.#env.clock.now()
  }
}

/** Puts the core under the labs' tests: `raftLab({ make: labCore(), describe: describeLabCore })`. */
export function labCore(options: LabCoreOptions = {}): LabMake {
  return (peers, me, persister, apply, env) => new LabCore(peers, me, persister, apply, env, options)
}

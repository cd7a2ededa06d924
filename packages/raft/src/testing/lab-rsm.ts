/**
 * Our replicated state machine behind the labs' interface: the sessions, replies and snapshots that `RaftNode` has, on any Raft
 * of the labs' form. The labs' services stand on it; {@link LabRsmClerk} is its other end.
 *
 *     Command ─▶ start ─▶ … ─▶ apply ─▶ ReplicatedMachine ─▶ the reply, if the entry is the one that was started
 *     Query ───▶ start ─▶ … ─▶ apply ─▶ machine.query ─▶ the answer: a read that stands in the log is linearizable (§8)
 */
import { ByteWriter, type Timer } from '@lab/rpc'
import { EntryKind, RECORD_HEADER_BYTES } from '../entry.ts'
import { ReplicatedMachine, type ReplicatedMachineOptions } from '../rsm/replicated-machine.ts'
import {
  NotLeader,
  type LabApplied,
  type LabEnv,
  type LabMake,
  type LabPeer,
  type LabPersister,
  type LabRaft,
} from './lab-interface.ts'
import type { LabInstance } from './lab-servers.ts'

export interface LabRsmOptions {
  /** The Raft below. */
  readonly raft: LabMake
  readonly service: ReplicatedMachineOptions
  /** A snapshot is made when the Raft's state has so many bytes; below 0: never. */
  readonly maxRaftState: number
}

/** A caller that waits for what it started. */
interface Waiting {
  readonly command: string
  readonly term: number
  readonly resolve: (reply: Uint8Array | null) => void
}

/** How often a waiting leader looks whether it still leads. */
const LOOK_MS = 100
const COMMAND = 'c'
const QUERY = 'q'

export class LabRsm implements LabInstance {
  readonly handlers: LabInstance['handlers']
  readonly #raft: LabRaft
  readonly #persister: LabPersister
  readonly #env: LabEnv
  readonly #options: LabRsmOptions
  readonly #machine: ReplicatedMachine
  /** By index. */
  readonly #waiting = new Map<number, Waiting>()
  /** Applied by the Raft, and not yet by the machine. */
  readonly #inbox: LabApplied[] = []
  #isWorking = false
  #timer: Timer | null = null

  constructor(
    peers: readonly LabPeer[],
    me: number,
    persister: LabPersister,
    env: LabEnv,
    options: LabRsmOptions,
  ) {
    this.#persister = persister
    this.#env = env
    this.#options = options
    this.#machine = new ReplicatedMachine(options.service)
    const snapshot = persister.readSnapshot()
    if (snapshot.length > 0) this.#inbox.push({ type: 'snapshot', index: 0, snapshot })
    const apply = (applied: LabApplied): void => {
      this.#inbox.push(applied)
      this.#workOn()
    }
    this.#raft = options.raft(peers, me, persister, apply, env)
    this.handlers = {
      ...this.#raft.handlers,
      Command: (bytes: Uint8Array) => this.#submit(COMMAND, bytes),
      Query: (bytes: Uint8Array) => this.#submit(QUERY, bytes),
    }
    this.#workOn()
  }

  getState(): { readonly term: number; readonly isLeader: boolean } {
    return this.#raft.getState()
  }

  kill(): void {
    this.#timer?.cancel()
    this.#raft.kill()
  }

  /** @returns what applying it gave; null when this server does not lead, or no longer: nobody knows then */
  #submit(kind: string, bytes: Uint8Array): Promise<Uint8Array | null> {
    const command = kind + textOf(bytes)
    const started = this.#raft.start(command)
    if (started === NotLeader) return Promise.resolve(null)
    const { index, term } = started
    return new Promise((resolve) => {
      this.#waiting.get(index)?.resolve(null)
      this.#waiting.set(index, { command, term, resolve })
      this.#timer ??= this.#env.clock.setTimer(LOOK_MS, () => {
        this.#look()
      })
    })
  }

  /** Lets go of those that wait for a term in which this server leads no more. */
  #look(): void {
    const { term, isLeader } = this.#raft.getState()
    for (const [index, waiting] of this.#waiting) {
      if (isLeader && waiting.term === term) continue
      this.#waiting.delete(index)
      waiting.resolve(null)
    }
    const look = (): void => {
      this.#look()
    }
    this.#timer = this.#waiting.size === 0 ? null : this.#env.clock.setTimer(LOOK_MS, look)
  }

  #workOn(): void {
    if (this.#isWorking) return
    this.#isWorking = true
    this.#work().catch(this.#env.fail)
  }

  /** One after the other, also where a snapshot takes more than a turn. */
  async #work(): Promise<void> {
    for (let next = this.#inbox.shift(); next !== undefined; next = this.#inbox.shift()) {
      if (next.type === 'snapshot') await this.#machine.restore(asChunks(next.snapshot))
      else {
        this.#applyCommand(next.index, next.command as string)
        if (this.#isLogLong()) this.#raft.snapshot(next.index, await joined(this.#machine.snapshot()))
      }
    }
    // In the turn that saw the inbox empty: what comes in the next finds nobody at work.
    this.#isWorking = false
  }

  #isLogLong(): boolean {
    const { maxRaftState } = this.#options
    return maxRaftState >= 0 && this.#persister.stateSize() >= maxRaftState
  }

  #applyCommand(index: number, command: string): void {
    const waiting = this.#waiting.get(index)
    this.#waiting.delete(index)
    const bytes = bytesOf(command.slice(1))
    const mine = waiting?.command === command
    if (command.startsWith(QUERY)) {
      // Reads change nothing: only whoever asked needs the answer.
      waiting?.resolve(mine ? this.#machine.query(bytes).slice() : null)
      return
    }
    const reply = this.#machine.apply(entryOf(index, bytes))
    waiting?.resolve(mine ? reply.slice() : null)
  }
}

function entryOf(index: number, payload: Uint8Array): Parameters<ReplicatedMachine['apply']>[0] {
  const slab = new Uint8Array(RECORD_HEADER_BYTES + payload.length)
  slab.set(payload, RECORD_HEADER_BYTES)
  return { index, term: 0, kind: EntryKind.command, time: 0, slab, start: 0, end: slab.length }
}

async function* asChunks(bytes: Uint8Array): AsyncGenerator<Uint8Array, void, undefined> {
  await Promise.resolve()
  yield bytes
}

async function joined(chunks: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const writer = new ByteWriter(1024)
  for await (const chunk of chunks) writer.raw(chunk)
  return writer.finish()
}

/** The labs' commands are texts. */
function textOf(bytes: Uint8Array): string {
  let letters = ''
  for (const byte of bytes) letters += String.fromCharCode(byte)
  return btoa(letters)
}

function bytesOf(text: string): Uint8Array {
  const letters = atob(text)
  const bytes = new Uint8Array(letters.length)
  for (let i = 0; i < letters.length; i++) bytes[i] = letters.charCodeAt(i)
  return bytes
}

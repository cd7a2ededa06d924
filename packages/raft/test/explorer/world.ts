/**
 * A world small enough to be explored whole: real cores, and around them everything that may happen next as a list of actions.
 * Time passes only when a timer fires. What may happen:
 *
 *     deliver   any message in flight arrives, in any order; one that never does is one that is late for ever
 *     drop      one is lost for good (within the budget)
 *     timer     a server's deadline comes
 *     persist   the write in flight is on disk
 *     crash     a server loses its memory and starts again; its write in flight got to the disk, or did not (within the budget)
 *     propose   the client asks a leader (within the budget)
 */
import { assert } from '@lab/rpc'
import { bootstrapMembership } from '../../src/bootstrap.ts'
import { Raft } from '../../src/core/raft.ts'
import type { Message } from '../../src/core/messages.ts'
import type { Ready, Write } from '../../src/core/ready.ts'
import type { Envelope } from '../../src/core/messages.ts'
import { EntryKind } from '../../src/entry.ts'
import { RecordWriter } from '../../src/record.ts'
import type { NodeId } from '../../src/types.ts'
import { encodeMessage } from '../../src/wire.ts'
import { Invariants, nextState } from '../core/fuzz/invariants.ts'
import { FakeDisk } from '../core/support/fake-disk.ts'

export interface Bounds {
  /** No server begins a later term. */
  readonly terms: number
  readonly proposals: number
  readonly crashes: number
  readonly drops: number
  /** Messages in flight; the oldest is lost for one too many, as on any network. */
  readonly inFlight: number
}

export interface Flying {
  readonly from: NodeId
  readonly to: NodeId
  readonly message: Message
  /** Its bytes as text: two messages that say the same to the same are one. */
  readonly text: string
}

export interface Server {
  readonly id: NodeId
  core: Raft
  readonly disk: FakeDisk
  write: Write | null
  /** Leave when `write` is on disk. */
  held: readonly Envelope[]
  deadline: number
  now: number
  applied: number
  state: number
}

export type Action =
  | { readonly type: 'deliver' | 'drop'; readonly which: number }
  | { readonly type: 'timer' | 'persist' | 'propose'; readonly server: number }
  | { readonly type: 'crash'; readonly server: number; readonly written: boolean }

const IDS: readonly NodeId[] = ['n1', 'n2', 'n3']
const TIMING = { heartbeatMs: 100, electionTimeoutMsMin: 300, electionTimeoutMsMax: 600 }
const MEMBERSHIP = bootstrapMembership(Object.fromEntries(IDS.map((id) => [id, []])))
/** Records are small here, and a slab is made for every replay. */
const SLAB_BYTES = 512

export class World {
  readonly servers: readonly Server[]
  flying: Flying[] = []
  crashes = 0
  drops = 0
  proposals = 0
  readonly #bounds: Bounds
  readonly #invariants: Invariants

  constructor(bounds: Bounds) {
    this.#bounds = bounds
    const disks = new Map(IDS.map((id) => [id, new FakeDisk()]))
    this.#invariants = new Invariants(disks)
    this.servers = [...disks].map(([id, disk]) => ({
      id,
      core: coreOn(id, disk, 0),
      disk,
      write: null,
      held: [],
      deadline: Infinity,
      now: 0,
      applied: 0,
      state: 0,
    }))
    for (const server of this.servers) this.#work(server)
  }

  /** The highest index known anywhere to be committed. */
  get commitIndex(): number {
    return this.#invariants.commitIndex
  }

  /** What may happen next, within the bounds. */
  actions(): Action[] {
    const { flying, servers } = this
    const actions: Action[] = []
    for (let which = 0; which < flying.length; which++) actions.push({ type: 'deliver', which })
    servers.forEach(({ core, write, deadline }, server) => {
      const { role, currentTerm } = core.status()
      const mayWait = role === 'leader' || currentTerm < this.#bounds.terms
      if (deadline < Infinity && mayWait) actions.push({ type: 'timer', server })
      if (write !== null) actions.push({ type: 'persist', server })
      if (role === 'leader' && this.proposals < this.#bounds.proposals)
        actions.push({ type: 'propose', server })
    })
    if (this.drops < this.#bounds.drops)
      for (let which = 0; which < flying.length; which++) actions.push({ type: 'drop', which })
    if (this.crashes < this.#bounds.crashes)
      servers.forEach(({ write }, server) => {
        actions.push({ type: 'crash', server, written: false })
        if (write !== null) actions.push({ type: 'crash', server, written: true })
      })
    return actions
  }

  /** @throws when an invariant breaks */
  act(action: Action): void {
    switch (action.type) {
      case 'deliver': {
        const { from, to, message } = this.#take(action.which)
        const server = this.#named(to)
        server.core.step({ type: 'message', from, message }, server.now)
        this.#work(server)
        return
      }
      case 'drop':
        this.drops++
        this.#take(action.which)
        return
      case 'timer': {
        const server = this.#server(action.server)
        server.now = Math.max(server.now, server.deadline)
        server.core.step({ type: 'deadline' }, server.now)
        this.#work(server)
        return
      }
      case 'persist':
        this.#persist(this.#server(action.server))
        return
      case 'propose': {
        const server = this.#server(action.server)
        const payload = Uint8Array.of(++this.proposals)
        server.core.propose([payload], EntryKind.command, 0, server.now)
        this.#work(server)
        return
      }
      case 'crash':
        this.#crash(this.#server(action.server), action.written)
    }
  }

  #persist(server: Server): void {
    const { write, held } = server
    assert(write !== null, 'a write that is persisted was in flight')
    this.#store(server, write)
    server.write = null
    server.held = []
    this.#send(server, held)
    server.core.step({ type: 'persisted', write: write.id }, server.now)
    this.#work(server)
  }

  #crash(server: Server, written: boolean): void {
    this.crashes++
    if (written && server.write !== null) this.#store(server, server.write)
    this.#invariants.crashed(server.id)
    server.write = null
    server.held = []
    server.applied = 0
    server.state = 0
    server.core = coreOn(server.id, server.disk, server.now)
    this.#work(server)
  }

  #store(server: Server, write: Write): void {
    server.disk.write(write)
    for (const entry of write.entries) this.#invariants.stored(entry, server.disk.termAt(entry.index - 1))
  }

  /** The driver: does what each Ready says, in the order of its fields. */
  #work(server: Server): void {
    while (server.core.hasReady()) {
      const ready = server.core.takeReady(server.now)
      this.#invariants.status(server.core.status())
      this.#send(server, ready.sendNow)
      if (ready.write !== null) {
        server.write = ready.write
        server.held = ready.sendWhenDurable
      }
      this.#apply(server, ready)
      server.deadline = ready.deadline
    }
  }

  #apply(server: Server, { committed, committedOnDisk }: Ready): void {
    const first = committedOnDisk?.first
    const read = first === undefined ? [] : server.disk.read(first, committedOnDisk?.last ?? 0, Infinity)
    for (const entry of [...read, ...committed]) {
      this.#invariants.committed(server.id, entry)
      server.state = nextState(server.state, entry)
      server.applied = entry.index
      this.#invariants.applied(server.id, entry.index, server.state)
    }
    const index = server.applied
    if (read.length + committed.length > 0) server.core.step({ type: 'applied', index }, server.now)
  }

  #send(server: Server, envelopes: readonly Envelope[]): void {
    for (const envelope of envelopes) {
      this.#invariants.sent(server.id, envelope)
      const { to, message } = envelope
      const text = String.fromCharCode(...encodeMessage(message))
      const known = this.flying.some((one) => one.from === server.id && one.to === to && one.text === text)
      if (!known) this.flying.push({ from: server.id, to, message, text })
    }
    this.flying = this.flying.slice(-this.#bounds.inFlight)
  }

  #take(which: number): Flying {
    const [taken] = this.flying.splice(which, 1)
    assert(taken !== undefined, 'what arrives was in flight')
    return taken
  }

  #server(which: number): Server {
    const server = this.servers[which]
    assert(server !== undefined, 'there is such a server')
    return server
  }

  #named(id: NodeId): Server {
    return this.#server(IDS.indexOf(id))
  }
}

function coreOn(id: NodeId, disk: FakeDisk, now: number): Raft {
  const core = new Raft({
    id,
    random: () => 0.5,
    ...disk.recovered(),
    bootstrap: MEMBERSHIP,
    now,
    timing: TIMING,
  })
  Object.assign(Raft.stateOf(core), { records: new RecordWriter(SLAB_BYTES) })
  return core
}

/** Three cores in one thread, without disks or sockets: each message goes through the wire codec, each write is done at once. */
import { bootstrapMembership } from '../../packages/raft/src/bootstrap.ts'
import type { Envelope } from '../../packages/raft/src/core/messages.ts'
import { Raft } from '../../packages/raft/src/core/raft.ts'
import { EntryKind } from '../../packages/raft/src/entry.ts'
import { decodeMessage, encodeMessage } from '../../packages/raft/src/wire.ts'

const IDS = ['n1', 'n2', 'n3']
const TIMING = { heartbeatMs: 100, electionTimeoutMsMin: 300, electionTimeoutMsMax: 600 }
const MEMBERSHIP = bootstrapMembership(Object.fromEntries(IDS.map((id) => [id, []])))

interface Server {
  readonly id: string
  readonly core: Raft
  inbox: { readonly from: string; readonly bytes: Uint8Array }[]
  writes: { readonly id: number; readonly held: readonly Envelope[] }[]
  deadline: number
}

export class Cores {
  readonly #servers: readonly Server[]
  readonly #leader: Server
  readonly #payload: Uint8Array
  #now = 0
  /** Entries committed and handed out at the leader since the last {@link turn}. */
  #committed = 0

  constructor(payloadBytes: number) {
    this.#payload = new Uint8Array(payloadBytes).fill(7)
    this.#servers = IDS.map((id, at) => ({
      id,
      inbox: [],
      writes: [],
      deadline: 0,
      core: new Raft({
        id,
        // Different patience, so that the first election is won at once.
        random: () => (at + 0.5) / IDS.length,
        hardState: { currentTerm: 0, votedFor: '' },
        snapshot: null,
        firstIndex: 1,
        lastIndex: 0,
        terms: [],
        configurations: [],
        lastTime: 0,
        bootstrap: MEMBERSHIP,
        now: 0,
        timing: TIMING,
      }),
    }))
    this.#leader = this.#elect()
  }

  /** Proposes `count` entries and lets everything that is under way go one step on. @returns how many were committed */
  turn(count: number): number {
    this.#now = performance.now()
    const { core } = this.#leader
    if (count > 0) {
      const payloads = new Array<Uint8Array>(count).fill(this.#payload)
      core.propose(payloads, EntryKind.command, this.#now, this.#now)
      this.#work(this.#leader)
    }
    this.#step()
    const committed = this.#committed
    this.#committed = 0
    return committed
  }

  #elect(): Server {
    for (;;) {
      this.#now += 1
      this.#step()
      const leader = this.#servers.find(({ core }) => core.status().role === 'leader')
      // Its no-op and the bootstrap configuration.
      if (leader !== undefined && leader.core.status().commitIndex >= 2) {
        this.#committed = 0
        return leader
      }
    }
  }

  #step(): void {
    for (const server of this.#servers) {
      const { core, inbox } = server
      server.inbox = []
      for (const { from, bytes } of inbox)
        core.step({ type: 'message', from, message: decodeMessage(bytes) }, this.#now)
      if (this.#now >= server.deadline) core.step({ type: 'deadline' }, this.#now)
      this.#work(server)
    }
    for (const server of this.#servers) {
      const { writes } = server
      server.writes = []
      for (const { id, held } of writes) {
        this.#send(server, held)
        server.core.step({ type: 'persisted', write: id }, this.#now)
        this.#work(server)
      }
    }
  }

  #work(server: Server): void {
    if (!server.core.hasReady()) return
    const ready = server.core.takeReady(this.#now)
    this.#send(server, ready.sendNow)
    if (ready.write !== null) server.writes.push({ id: ready.write.id, held: ready.sendWhenDurable })
    if (server.core.status().role === 'leader') this.#committed += ready.committed.length
    server.deadline = ready.deadline
  }

  #send(from: Server, envelopes: readonly Envelope[]): void {
    for (const { to, message } of envelopes) {
      const target = this.#servers.find(({ id }) => id === to)
      target?.inbox.push({ from: from.id, bytes: encodeMessage(message) })
    }
  }
}

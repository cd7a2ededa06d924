/** Links to the other processes: one each, shared by all groups, re-dialled for as long as any group has a member there. */
import {
  ByteWriter,
  openLink,
  systemClock,
  type Address,
  type Link,
  type LinkOptions,
  type RpcError,
  type Timer,
} from '@lab/rpc'
import type { Envelope } from '../core/messages.ts'
import {
  AdminService,
  ClientService,
  PeerService,
  type AdminClient,
  type PeerClient,
  type RequestClient,
} from '../services.ts'
import type { NodeId } from '../types.ts'
import { encodeGroupMessage, writeGroupMessage } from '../wire.ts'
import { Greeter } from './greeter.ts'
import type { Greeting } from './greeting.ts'
import { SnapshotLinks } from './snapshot-links.ts'
import type { RaftTrace } from './trace-events.ts'

/** A larger buffer is not kept for the next message. An AppendEntries of a busy leader is rarely larger: it would grow one each time. */
const KEPT_BYTES_MAX = 512 * 1024

export interface PeersOptions {
  readonly self: NodeId
  /** How every link is made: transports, identity, clock, … */
  readonly link: LinkOptions
  /** What this server says of itself to each peer; null when the group does not run here. */
  readonly greeting: (group: number) => Greeting | null
  /** The peer does not count this server's messages. */
  readonly onUnwelcome: (peer: NodeId, why: string) => void
  /** A link to one that is no member any more is kept for so long, in milliseconds: it is to learn of it. */
  readonly lingerMs: number
  /** There is no link: what was on its way may be lost. Told after each failed attempt; `broke`: until now there was one. */
  readonly onDown: (peer: NodeId, broke: boolean) => void
  /** The peer refuses us for good, or the link goes wrong in another way that people should know of. */
  readonly onError: (peer: NodeId, error: RpcError) => void
}

interface Peer {
  readonly link: Link
  readonly messages: PeerClient
  readonly requests: RequestClient
  readonly admin: AdminClient
  readonly greeter: Greeter
  readonly addresses: readonly Address[]
}

export class Peers {
  readonly #options: PeersOptions
  readonly #peers = new Map<NodeId, Peer>()
  /** Where the members of each group are. */
  readonly #members = new Map<number, ReadonlyMap<NodeId, readonly Address[]>>()
  /** Where each member is, as each group has it. */
  readonly #places = new Map<NodeId, Map<number, readonly Address[]>>()
  /** Those that are members no longer. */
  readonly #leaving = new Map<NodeId, Timer>()
  readonly #snapshots: SnapshotLinks
  #writer = new ByteWriter()

  constructor(options: PeersOptions) {
    this.#options = options
    this.#snapshots = new SnapshotLinks(options.link)
  }

  /** These are the members of a group now: links to new ones are opened, to old ones closed, changed addresses dialled. */
  update(group: number, members: ReadonlyMap<NodeId, readonly Address[]>): void {
    const before = this.#members.get(group)
    if (members.size === 0) this.#members.delete(group)
    else this.#members.set(group, members)
    for (const id of before?.keys() ?? []) if (!members.has(id)) this.#forget(id, group)
    for (const [id, addresses] of members) if (id !== this.#options.self) this.#know(id, group, addresses)
  }

  #forget(id: NodeId, group: number): void {
    const places = this.#places.get(id)
    places?.delete(group)
    if (places?.size !== 0) return
    this.#places.delete(id)
    const peer = this.#peers.get(id)
    if (peer !== undefined) this.#closeLater(id, peer.link)
  }

  /** Groups mostly agree on where a member is: then there is nothing to be done. */
  #know(id: NodeId, group: number, addresses: readonly Address[]): void {
    this.#stay(id)
    const places = this.#places.get(id) ?? new Map<number, readonly Address[]>()
    this.#places.set(id, places.set(group, addresses))
    const peer = this.#peers.get(id)
    if (addresses.length === 0 || (peer !== undefined && sameList(peer.addresses, addresses))) return
    const all = [...new Set([...places.values()].flat())]
    if (peer === undefined) this.#open(id, all)
    else if (!sameList(peer.addresses, all)) {
      peer.link.setAddresses(all)
      this.#peers.set(id, { ...peer, addresses: all })
    }
  }

  /**
   * Hands the messages to the links. To a member that cannot be reached they are lost, as on any network.
   *
   * @returns how many bytes that was
   */
  send(group: number, envelopes: readonly Envelope[], trace: RaftTrace | null): number {
    let bytesSent = 0
    for (const { to, message, cause } of envelopes) {
      const peer = this.#up(to)
      if (peer === null) continue
      trace?.sending(cause)
      if (message.type === 'InstallSnapshot') {
        const bytes = encodeGroupMessage(group, message)
        bytesSent += bytes.length
        this.#snapshots.send(to, peer.addresses, bytes)
        continue
      }
      this.#writer.reset()
      writeGroupMessage(this.#writer, group, message)
      bytesSent += this.#writer.length
      peer.messages.message(this.#writer.view()) // copied before the call returns
      if (this.#writer.length > KEPT_BYTES_MAX) this.#writer = new ByteWriter()
    }
    trace?.sending()
    return bytesSent
  }

  /** Is a chunk of a snapshot still on its way out to this member? */
  sendingSnapshot(id: NodeId): boolean {
    return this.#snapshots.busy(id)
  }

  /** Whom there is a link to. */
  get ids(): NodeId[] {
    return [...this.#peers.keys()]
  }

  /** What a member offers to members; null when it cannot be reached at the moment. */
  messages(id: NodeId): PeerClient | null {
    return this.#up(id)?.messages ?? null
  }

  /** What a member offers to everybody; null when it cannot be reached at the moment. */
  requests(id: NodeId): RequestClient | null {
    return this.#up(id)?.requests ?? null
  }

  /** The largest request that a member takes, in bytes; 0 when it cannot be reached at the moment. */
  requestBytesMax(id: NodeId): number {
    return this.#up(id)?.link.requestBytesMax ?? 0
  }

  /** What a member offers to operators; null when it cannot be reached at the moment. */
  admin(id: NodeId): AdminClient | null {
    return this.#up(id)?.admin ?? null
  }

  /** Tells the members of a group anew what this server knows of it. */
  greetAll(group: number): void {
    for (const id of this.#members.get(group)?.keys() ?? []) this.#peers.get(id)?.greeter.greet([group])
  }

  /** A member that we could not reach has just reached us: it can be dialled again at once. */
  reachable(id: NodeId): void {
    const peer = this.#peers.get(id)
    if (peer?.link.state === 'down') peer.link.setAddresses(peer.addresses)
  }

  close(): void {
    for (const id of [...this.#leaving.keys()]) this.#stay(id)
    this.#snapshots.closeAll()
    for (const { link, greeter } of this.#peers.values()) {
      greeter.close()
      link.close()
    }
    this.#peers.clear()
  }

  #open(id: NodeId, addresses: readonly Address[]): void {
    const { link: options, onDown, onError } = this.#options
    let wasUp = false
    const link = openLink([...addresses], {
      ...options,
      onState: (state, error) => {
        if (state === 'up') this.#peers.get(id)?.greeter.greet(this.#places.get(id)?.keys() ?? [])
        if (state === 'down') onDown(id, wasUp)
        if (state !== 'connecting') wasUp = state === 'up'
        if (error !== undefined) onError(id, error)
      },
    })
    const messages = link.client(PeerService)
    this.#peers.set(id, {
      link,
      messages,
      requests: link.client(ClientService),
      admin: link.client(AdminService),
      greeter: this.#greeterOf(id, messages),
      addresses,
    })
  }

  #greeterOf(id: NodeId, messages: PeerClient): Greeter {
    const { link, greeting, onUnwelcome } = this.#options
    return new Greeter({
      clock: link.clock ?? systemClock,
      greeting: (group) => (this.#places.get(id)?.has(group) === true ? greeting(group) : null),
      hello: () => (this.#up(id) === null ? null : messages.hello),
      onUnwelcome: (why) => onUnwelcome(id, why),
    })
  }

  #closeLater(id: NodeId, link: Link): void {
    if (this.#leaving.has(id)) return
    const { link: options, lingerMs } = this.#options
    const close = (): void => {
      this.#leaving.delete(id)
      this.#peers.get(id)?.greeter.close()
      this.#peers.delete(id)
      link.close()
      this.#snapshots.close(id)
    }
    this.#leaving.set(id, (options.clock ?? systemClock).setTimer(lingerMs, close))
  }

  #stay(id: NodeId): void {
    this.#leaving.get(id)?.cancel()
    this.#leaving.delete(id)
  }

  /** An address is never an identity: who answers there must be the one that is meant. */
  #up(id: NodeId): Peer | null {
    const peer = this.#peers.get(id)
    return peer?.link.peer?.nodeId === id && peer.link.state === 'up' ? peer : null
  }
}

function sameList(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((item, i) => item === b[i])
}

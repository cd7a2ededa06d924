/** Links to the other processes: one each, shared by all groups, re-dialled for as long as any group has a member there. */
import { openLink, type Address, type Link, type LinkOptions, type RpcError } from '@lab/rpc'
import type { Envelope } from '../core/messages.ts'
import { ClientService, PeerService, type PeerClient, type RequestClient } from '../services.ts'
import type { NodeId } from '../types.ts'
import { encodeGroupMessage } from '../wire.ts'
import { SnapshotLinks } from './snapshot-links.ts'
import type { RaftTrace } from './trace-events.ts'

export interface PeersOptions {
  readonly self: NodeId
  /** How every link is made: transports, identity, clock, … */
  readonly link: LinkOptions
  /** The link broke: what was on its way may be lost. */
  readonly onDown: (peer: NodeId) => void
  /** The peer refuses us for good, or the link goes wrong in another way that people should know of. */
  readonly onError: (peer: NodeId, error: RpcError) => void
}

interface Peer {
  readonly link: Link
  readonly messages: PeerClient
  readonly requests: RequestClient
  readonly addresses: readonly Address[]
}

export class Peers {
  readonly #options: PeersOptions
  readonly #peers = new Map<NodeId, Peer>()
  /** Where the members of each group are. */
  readonly #members = new Map<number, ReadonlyMap<NodeId, readonly Address[]>>()
  readonly #snapshots: SnapshotLinks

  constructor(options: PeersOptions) {
    this.#options = options
    this.#snapshots = new SnapshotLinks(options.link)
  }

  /** These are the members of a group now: links to new ones are opened, to old ones closed, changed addresses dialled. */
  update(group: number, members: ReadonlyMap<NodeId, readonly Address[]>): void {
    if (members.size === 0) this.#members.delete(group)
    else this.#members.set(group, members)
    this.#update(this.#membersOfAll())
  }

  #membersOfAll(): ReadonlyMap<NodeId, readonly Address[]> {
    const [only] = this.#members.values()
    if (only !== undefined && this.#members.size === 1) return only
    const all = new Map<NodeId, readonly Address[]>()
    for (const members of this.#members.values())
      for (const [id, addresses] of members) {
        const known = all.get(id) ?? addresses
        all.set(id, sameList(known, addresses) ? known : [...new Set([...known, ...addresses])])
      }
    return all
  }

  #update(members: ReadonlyMap<NodeId, readonly Address[]>): void {
    for (const [id, peer] of this.#peers) {
      if (members.has(id)) continue
      this.#peers.delete(id)
      peer.link.close()
      this.#snapshots.close(id)
    }
    for (const [id, addresses] of members) {
      if (id === this.#options.self || addresses.length === 0) continue
      const peer = this.#peers.get(id)
      if (peer !== undefined && sameList(peer.addresses, addresses)) continue
      if (peer === undefined) this.#open(id, addresses)
      else {
        peer.link.setAddresses([...addresses])
        this.#peers.set(id, { ...peer, addresses })
      }
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
      const bytes = encodeGroupMessage(group, message)
      bytesSent += bytes.length
      if (message.type === 'InstallSnapshot') this.#snapshots.send(to, peer.addresses, bytes)
      else peer.messages.message(bytes)
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

  /** A member that we could not reach has just reached us: it can be dialled again at once. */
  reachable(id: NodeId): void {
    const peer = this.#peers.get(id)
    if (peer?.link.state === 'down') peer.link.setAddresses(peer.addresses)
  }

  close(): void {
    this.#snapshots.closeAll()
    for (const { link } of this.#peers.values()) link.close()
    this.#peers.clear()
  }

  #open(id: NodeId, addresses: readonly Address[]): void {
    const { link: options, onDown, onError } = this.#options
    const link = openLink([...addresses], {
      ...options,
      onState: (state, error) => {
        if (state === 'down') onDown(id)
        if (error !== undefined) onError(id, error)
      },
    })
    this.#peers.set(id, {
      link,
      messages: link.client(PeerService),
      requests: link.client(ClientService),
      addresses,
    })
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

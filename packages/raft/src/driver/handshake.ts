import { HandshakeRefused, type PeerInfo } from '@lab/rpc'
import type { Storage } from '../storage.ts'
import type { NodeId } from '../types.ts'

export interface HandshakeOptions {
  readonly self: NodeId
  readonly clusterId: string
  readonly storage: Pick<Storage, 'rememberPeer'>
  /** Peers met before: id → incarnation. */
  readonly known: ReadonlyMap<NodeId, string>
  /** Whether the id stands in this server's configuration or in its options. */
  readonly isMember: (id: NodeId) => boolean
}

/** The first incarnation met under an id, and when that is on disk. */
interface Met {
  readonly incarnation: string
  readonly durable: Promise<void>
}

/**
 * Decides who may connect (trap: a server whose disk was wiped has forgotten its votes, and must not vote under its old id). The
 * first incarnation met under an id is remembered, durably, before the peer is let in; any other is refused.
 */
export class Handshakes {
  readonly #options: HandshakeOptions
  readonly #met = new Map<NodeId, Met>()

  constructor(options: HandshakeOptions) {
    this.#options = options
    for (const [id, incarnation] of options.known)
      this.#met.set(id, { incarnation, durable: Promise.resolve() })
  }

  /** @throws {HandshakeRefused} `WRONG_CLUSTER`, `UNKNOWN_NODE`, `WIPED` */
  async judge({ role, clusterId, nodeId, incarnation }: PeerInfo): Promise<void> {
    const { self, clusterId: own } = this.#options
    // A client that names no cluster takes what it finds.
    if (clusterId !== own && (role === 'peer' || clusterId !== ''))
      throw new HandshakeRefused(
        'WRONG_CLUSTER',
        `${self} belongs to cluster ${own}, not to ${clusterId || 'one without name'}`,
      )
    if (role !== 'peer') return
    if (nodeId === self || !this.#options.isMember(nodeId))
      throw new HandshakeRefused(
        'UNKNOWN_NODE',
        `${self} knows no other member ${nodeId}: compare the members of both`,
      )
    await this.#judgeIncarnation(nodeId, incarnation)
  }

  async #judgeIncarnation(nodeId: NodeId, incarnation: string): Promise<void> {
    const met = this.#met.get(nodeId) ?? this.#remember(nodeId, incarnation)
    await met.durable
    if (met.incarnation === incarnation) return
    throw new HandshakeRefused(
      'WIPED',
      `${nodeId} has lost its data: ${this.#options.self} knows an older incarnation of it. Remove ${nodeId} from the cluster and add it again`,
    )
  }

  #remember(nodeId: NodeId, incarnation: string): Met {
    const durable = this.#options.storage.rememberPeer(nodeId, incarnation)
    const met = { incarnation, durable }
    this.#met.set(nodeId, met)
    durable.catch(() => this.#met.delete(nodeId))
    return met
  }
}

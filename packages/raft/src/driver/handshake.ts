import { HandshakeRefused, type PeerInfo } from '@lab/rpc'
import type { NodeId } from '../types.ts'
import type { Acquaintances } from './acquaintances.ts'

export interface HandshakeOptions {
  readonly self: NodeId
  readonly clusterId: string
  /** Of every group that runs here. */
  readonly groups: () => readonly Acquaintances[]
}

/**
 * Decides who may connect. A member must be who it was (trap: a server whose disk was wiped has forgotten its votes, and must not
 * vote under its old id). Whose messages count is decided group by group, see acquaintances.ts.
 */
export class Handshakes {
  readonly #options: HandshakeOptions

  constructor(options: HandshakeOptions) {
    this.#options = options
  }

  /** @throws {HandshakeRefused} `WRONG_CLUSTER`, `UNKNOWN_NODE`, `WIPED` */
  async judge({ role, clusterId, nodeId, incarnation }: PeerInfo): Promise<void> {
    const { self, clusterId: own, groups } = this.#options
    // A client that names no cluster takes what it finds.
    if (clusterId !== own && (role === 'peer' || clusterId !== ''))
      throw new HandshakeRefused(
        'WRONG_CLUSTER',
        `${self} belongs to cluster ${own}, not to ${clusterId || 'one without name'}`,
      )
    if (role !== 'peer') return
    if (nodeId === self)
      throw new HandshakeRefused('UNKNOWN_NODE', `${self} is this server's own name: two have the same`)
    const knowing = groups().filter((group) => group.isMember(nodeId))
    const verdicts = await Promise.all(knowing.map((group) => group.meet(nodeId, incarnation)))
    if (verdicts.length > 0 && verdicts.every((verdict) => verdict === 'wiped'))
      throw new HandshakeRefused(
        'WIPED',
        `${nodeId} has lost its data: ${self} knows an older incarnation of it. Remove ${nodeId} from the cluster and add it again`,
      )
  }
}

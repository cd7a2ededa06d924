/** The other members of one group, behind links that all groups share. */
import type { CallOptions } from '@lab/rpc'
import type { ListCallOptions, SentList } from '../calls/open-lists.ts'
import type { Envelope } from '../core/messages.ts'
import { forGroup, listForGroup } from '../services.ts'
import type { NodeId } from '../types.ts'
import type { Peers } from './peers.ts'
import type { RaftTrace } from './trace-events.ts'

type Call = (body: Uint8Array, options: CallOptions) => Promise<Uint8Array>

export class GroupPeers {
  readonly group: number
  readonly #peers: Peers
  readonly #trace: RaftTrace | null

  constructor(group: number, peers: Peers, trace: RaftTrace | null) {
    this.group = group
    this.#peers = peers
    this.#trace = trace
  }

  /** As {@link Peers.send}. */
  send(envelopes: readonly Envelope[]): number {
    return this.#peers.send(this.group, envelopes, this.#trace)
  }

  sendingSnapshot(id: NodeId): boolean {
    return this.#peers.sendingSnapshot(id)
  }

  /** What a member offers to members; null when it cannot be reached at the moment. */
  messages(id: NodeId): { readonly readIndex: Call } | null {
    const client = this.#peers.messages(id)
    if (client === null) return null
    return { readIndex: (body, options) => client.readIndex(forGroup(this.group, body), options) }
  }

  /** What a member offers to everybody; null when it cannot be reached at the moment. */
  requests(id: NodeId): {
    readonly bytesMax: number
    readonly propose: (list: SentList, options: ListCallOptions) => Promise<Uint8Array>
    readonly open: Call
    readonly membership: Call
  } | null {
    const client = this.#peers.requests(id)
    if (client === null) return null
    return {
      bytesMax: this.#peers.requestBytesMax(id),
      propose: (list, options) => client.propose(listForGroup(this.group, list), options),
      open: (body, options) => client.open(forGroup(this.group, body), options),
      membership: (body, options) => client.membership(forGroup(this.group, body), options),
    }
  }

  /** What a member offers to operators; null when it cannot be reached at the moment. */
  admin(id: NodeId): Record<'change' | 'transfer' | 'stepDown', Call> | null {
    const client = this.#peers.admin(id)
    if (client === null) return null
    return {
      change: (body, options) => client.change(forGroup(this.group, body), options),
      transfer: (body, options) => client.transfer(forGroup(this.group, body), options),
      stepDown: (body, options) => client.stepDown(forGroup(this.group, body), options),
    }
  }
}

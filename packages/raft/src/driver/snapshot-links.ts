/**
 * Connections for snapshots alone, one per member that needs one: a chunk may take seconds on a slow line, and heartbeats, entries
 * and votes must never wait behind it. Opened for the first chunk, closed when none has left for a while. Answers come back on the
 * member's own link.
 */
import { openLink, systemClock, type Address, type Link, type LinkOptions, type Timer } from '@lab/rpc'
import { PeerService, type PeerClient } from '../services.ts'
import type { NodeId } from '../types.ts'

/** A transfer pauses for less than this between two chunks. */
const IDLE_MS = 10_000

interface Flow {
  readonly link: Link
  readonly messages: PeerClient
  readonly addresses: readonly Address[]
  /** The one chunk that waits for the connection: a later one is the same again, or makes it useless. */
  waiting: Uint8Array | null
  idle: Timer
}

export class SnapshotLinks {
  readonly #options: LinkOptions
  readonly #flows = new Map<NodeId, Flow>()

  /** @param options how a link is made, as for the others */
  constructor(options: LinkOptions) {
    this.#options = options
  }

  /** Hands a chunk over, at most one at a time: see {@link busy}. It may be lost, as on any network. */
  send(id: NodeId, addresses: readonly Address[], chunk: Uint8Array): void {
    const flow = this.#flowTo(id, addresses)
    flow.idle.cancel()
    flow.idle = this.#closeLater(id)
    flow.waiting = chunk
    this.#flush(id)
  }

  /** Is the last chunk still on its way out? Then the same again would only make it later. */
  busy(id: NodeId): boolean {
    const flow = this.#flows.get(id)
    return flow !== undefined && (flow.waiting !== null || flow.link.bufferedBytes > 0)
  }

  close(id: NodeId): void {
    const flow = this.#flows.get(id)
    if (flow === undefined) return
    this.#flows.delete(id)
    flow.idle.cancel()
    flow.link.close()
  }

  closeAll(): void {
    for (const id of [...this.#flows.keys()]) this.close(id)
  }

  #flowTo(id: NodeId, addresses: readonly Address[]): Flow {
    const open = this.#flows.get(id)
    if (open?.addresses === addresses) return open
    this.close(id)
    const link = openLink([...addresses], {
      ...this.#options,
      onState: (state) => {
        if (state === 'up') this.#flush(id)
      },
    })
    const idle = this.#closeLater(id)
    const flow = { link, messages: link.client(PeerService), addresses, waiting: null, idle }
    this.#flows.set(id, flow)
    return flow
  }

  #flush(id: NodeId): void {
    const flow = this.#flows.get(id)
    // An address is never an identity: who answers there must be the one that is meant.
    const chunk = flow?.waiting ?? null
    if (flow === undefined || chunk === null) return
    if (flow.link.state !== 'up' || flow.link.peer?.nodeId !== id) return
    flow.messages.message(chunk)
    flow.waiting = null
  }

  #closeLater(id: NodeId): Timer {
    const { clock = systemClock } = this.#options
    return clock.setTimer(IDLE_MS, () => this.close(id))
  }
}

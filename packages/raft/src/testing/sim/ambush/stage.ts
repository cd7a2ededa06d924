/** What somebody who sees everything has at hand: who stands where, what may be struck, and how to wait for the moment. */
import { assert, sleep, type Milliseconds, type Random } from '@lab/rpc'
import type { FaultKind, Operated } from '@lab/sim'
import type { NodeStatus, RaftNode } from '../../../node.ts'
import type { NodeId } from '../../../types.ts'
import { leaderOf } from '../scenario.ts'

/** How often the stage is looked at, by whoever waits for a moment: a message takes 0.2 ms at least. */
const LOOK_MS: Milliseconds = 0.1

export class Stage {
  readonly random: Random
  /** What was seen that must not be. */
  readonly broken: string[] = []
  readonly #operated: Omit<Operated<unknown>, 'servers'>
  readonly #node: (id: NodeId) => RaftNode | undefined

  /** @param node one that runs */
  constructor(
    operated: Omit<Operated<unknown>, 'servers'>,
    node: (id: NodeId) => RaftNode | undefined,
    random: Random,
  ) {
    this.#operated = operated
    this.#node = node
    this.random = random
  }

  /** Those that the cluster begins with. */
  get nodes(): readonly NodeId[] {
    return this.#operated.cluster.nodes
  }

  get spares(): readonly NodeId[] {
    return this.#operated.cluster.spares
  }

  /** Of a server that runs. */
  status(id: NodeId): NodeStatus | undefined {
    return this.node(id)?.status()
  }

  node(id: NodeId): RaftNode | undefined {
    return this.#node(id)
  }

  statuses(): NodeStatus[] {
    return [...this.nodes, ...this.spares].flatMap((id) => this.status(id) ?? [])
  }

  leader(): NodeId | null {
    return leaderOf(this.statuses())
  }

  /** Voters of the leader's configuration but `ids`, in an order of chance. */
  votersBut(...ids: readonly NodeId[]): NodeId[] {
    const leader = this.leader()
    const voters = leader === null ? this.nodes : (this.status(leader)?.voters ?? [])
    const others = voters.filter((id) => !ids.includes(id))
    return this.random.next() < 0.5 ? others : others.reverse()
  }

  strike(kind: FaultKind, forMs: Milliseconds): () => void {
    return this.#operated.strike(kind, forMs)
  }

  wipe(id: NodeId): void {
    this.#operated.wipe(id)
  }

  /** Nothing passes between machines of different groups. */
  part(forMs: Milliseconds, ...groups: readonly (readonly NodeId[])[]): () => void {
    return this.strike({ what: 'partition', groups }, forMs)
  }

  /** Whatever is sent to `on` takes about `ms`. */
  delay(on: NodeId, ms: Milliseconds, forMs: Milliseconds): () => void {
    return this.strike({ what: 'slow-inbox', on, latencyMsMin: ms, latencyMsMax: ms + 1 }, forMs)
  }

  mustHold(condition: boolean, text: string): void {
    if (!condition) this.broken.push(text)
  }

  between(min: Milliseconds, max: Milliseconds): Milliseconds {
    return min + this.random.next() * (max - min)
  }

  sleep(ms: Milliseconds): Promise<void> {
    return sleep(this.#operated.clock, ms)
  }

  /** @returns whether `condition` came to hold in time */
  async until(condition: () => boolean, limitMs: Milliseconds): Promise<boolean> {
    assert(limitMs > 0, 'there is time to wait')
    const end = this.#operated.clock.now() + limitMs
    while (!condition()) {
      if (this.#operated.clock.now() >= end) return false
      await this.sleep(LOOK_MS)
    }
    return true
  }
}

import { isMember } from './core/membership.ts'
import type { Change } from './core/ready.ts'
import type { Entry } from './entry.ts'
import type { LeaderHint } from './errors.ts'
import type { Events } from './events.ts'
import type { LeaderTask } from './leader-task.ts'
import type { NodeEvents } from './node-events.ts'
import type { Membership, NodeId, Role, Term } from './types.ts'

export interface StandingOptions {
  readonly membership: Membership
  readonly term: Term
  readonly events: Events<NodeEvents>
  /** Somebody else leads. */
  readonly onLeader: () => void
  readonly onMembership: (membership: Membership) => void
}

/** Where this server stands: who leads, who takes part. Follows what the core says and tells whoever must know. */
export class Standing {
  readonly #options: StandingOptions
  readonly #tasks = new Set<LeaderTask>()
  #membership: Membership
  #role: Role = 'follower'
  #term: Term
  #leader: NodeId | null = null
  /** The term in which this server leads and has applied an entry of its own, so that it knows all that came before. */
  #servingTerm: Term | null = null
  /** Counts who was named to those that ask a removed server. */
  #asked = 0

  constructor(options: StandingOptions) {
    this.#options = options
    this.#membership = options.membership
    this.#term = options.term
  }

  get membership(): Membership {
    return this.#membership
  }

  get role(): Role {
    return this.#role
  }

  /** Who leads, as far as this server knows. */
  leader(): LeaderHint | null {
    const id = this.#leader
    return id === null ? null : { id, addresses: this.#membership.addresses[id] ?? [] }
  }

  /**
   * Whom to ask who leads: the leader, or, from a server that was removed and hears of nobody any more, one voter after the other of
   * the last configuration that it knows.
   */
  whomToAsk(self: NodeId): LeaderHint | null {
    const { voters, addresses } = this.#membership
    if (this.#leader !== null || isMember(this.#membership, self)) return this.leader()
    const id = voters[this.#asked++ % Math.max(1, voters.length)]
    return id === undefined ? null : { id, addresses: addresses[id] ?? [] }
  }

  addTask(task: LeaderTask): void {
    this.#tasks.add(task)
    if (this.#servingTerm !== null) task.elected(this.#servingTerm)
  }

  removeTask(task: LeaderTask): void {
    this.#tasks.delete(task)
  }

  /** Calls off every task, for good. */
  async stopTasks(): Promise<void> {
    await Promise.all([...this.#tasks].map((task) => task.stop()))
  }

  changed(change: Change): void {
    if (change.type === 'role') this.#roleChanged(change)
    if (change.type === 'membership') this.#membershipChanged(change)
  }

  applied({ index, term }: Entry): void {
    const { events } = this.#options
    if (this.#role === 'leader' && this.#servingTerm === null && term === this.#term) {
      this.#servingTerm = term
      for (const task of [...this.#tasks]) task.elected(term)
    }
    if (events.has('applied')) events.emit('applied', { index, term })
  }

  #roleChanged({ role, term, leader, why }: Extract<Change, { type: 'role' }>): void {
    const { events, onLeader } = this.#options
    const newLeader = leader !== this.#leader || (leader !== null && term !== this.#term)
    if (role !== 'leader' || term !== this.#term) this.#leadsNoMore(why)
    this.#role = role
    this.#term = term
    this.#leader = leader
    events.emit('role', { role, term, leader, why })
    if (!newLeader) return
    onLeader()
    events.emit('leader', { leader, term })
  }

  #leadsNoMore(why: string): void {
    if (this.#servingTerm === null) return
    this.#servingTerm = null
    for (const task of [...this.#tasks]) task.lost(why)
  }

  #membershipChanged({ membership, index }: Extract<Change, { type: 'membership' }>): void {
    this.#membership = membership
    this.#options.onMembership(membership)
    this.#options.events.emit('membership', { membership, index, difference: null })
  }
}

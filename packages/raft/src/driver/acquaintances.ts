import type { Address, PeerInfo } from '@lab/rpc'
import { isMember } from '../core/membership.ts'
import type { Index, Membership, NodeId } from '../types.ts'
import type { FirstMet } from './first-met.ts'
import type { Greeting } from './greeting.ts'
import { agreedIncarnation, judge, type Judgement } from './incarnations.ts'

export interface AcquaintancesOptions {
  readonly self: NodeId
  readonly firstMet: FirstMet
  /** The configuration that is committed, as far as this server knows, and later ones. */
  readonly configurations: () => readonly Membership[]
  readonly leader: () => NodeId | null
  /** A peer has said where it is reached, and nobody knew it. */
  readonly onMet: () => void
}

/** Strangers are remembered for as long as they may be members; more than a cluster can have are not. */
const STRANGERS_MAX = 64

/**
 * Whose messages count in one group. Members' do, if they are who they were. So do those of strangers that know a later
 * configuration than the one committed here: this server has been away, and must not judge by what it missed. Others
 * are told that they are no members, as are those removed.
 */
export class Acquaintances {
  readonly #options: AcquaintancesOptions
  /** Whose messages count now: id → incarnation. */
  readonly #welcome = new Map<NodeId, string>()
  readonly #greetings = new Map<NodeId, Greeting>()
  #configurations: readonly Membership[]

  constructor(options: AcquaintancesOptions) {
    this.#options = options
    this.#configurations = options.configurations()
  }

  isMember(id: NodeId): boolean {
    return this.#configurations.some((membership) => isMember(membership, id))
  }

  /** A member has connected. From now on its messages count, unless it was wiped. */
  async meet(id: NodeId, incarnation: string): Promise<Judgement> {
    const { firstMet } = this.#options
    const agreed = agreedIncarnation(this.#configurations, id)
    const judgement = judge(incarnation, agreed, firstMet.of(id))
    if (judgement === 'wiped') return judgement
    if (agreed === undefined) await firstMet.meet(id, incarnation)
    this.#welcome.set(id, incarnation)
    return judgement
  }

  /** Do messages of this peer count? Runs for each of them. */
  admits({ nodeId, incarnation }: PeerInfo): boolean {
    if (this.#welcome.get(nodeId) === incarnation) return true
    // It became a member after it connected.
    if (this.isMember(nodeId)) this.meet(nodeId, incarnation).catch(() => undefined)
    return false
  }

  /** @returns null, or why messages of this peer do not count */
  greeted({ nodeId, incarnation }: PeerInfo, greeting: Greeting): string | null {
    const { self, onMet } = this.#options
    const member = this.isMember(nodeId)
    if (!member && greeting.index <= this.#committedIndex)
      return `${self} knows no other member ${nodeId}: it was removed, or never added; compare the members of both`
    if (!member && this.#greetings.size >= STRANGERS_MAX) return `${self} has met too many strangers`
    const before = this.#greetings.get(nodeId)
    this.#greetings.set(nodeId, greeting)
    if (!member) this.#welcome.set(nodeId, incarnation)
    if (!isReachedAt(before, greeting)) onMet()
    return null
  }

  /** Where they are reached, as configurations and they themselves say: members of every configuration that may yet count, and strangers. */
  get addresses(): ReadonlyMap<NodeId, readonly Address[]> {
    const all = new Map<NodeId, readonly Address[]>()
    for (const known of this.#configurations)
      for (const [id, list] of Object.entries(known.addresses)) all.set(id, list)
    for (const [id, { addresses }] of this.#greetings)
      all.set(id, [...new Set([...(all.get(id) ?? []), ...addresses])])
    return all
  }

  /** The configuration, or what is known to be committed, has changed: who was welcome stays so if that still holds. */
  refresh(): void {
    this.#configurations = this.#options.configurations()
    for (const [id, { index }] of this.#greetings)
      if (!this.isMember(id) && index <= this.#committedIndex) this.#greetings.delete(id)
    for (const [id, incarnation] of this.#welcome)
      if (!this.#isStillWelcome(id, incarnation)) this.#welcome.delete(id)
  }

  #isStillWelcome(id: NodeId, incarnation: string): boolean {
    // A leader that is being removed leads until it says that it is done.
    if (!this.isMember(id)) return this.#greetings.has(id) || id === this.#options.leader()
    const agreed = agreedIncarnation(this.#configurations, id)
    return judge(incarnation, agreed, this.#options.firstMet.of(id)) === 'same'
  }

  get #committedIndex(): Index {
    return this.#configurations[0]?.index ?? 0
  }
}

function isReachedAt(before: Greeting | undefined, { addresses }: Greeting): boolean {
  return (
    before?.addresses.length === addresses.length &&
    before.addresses.every((address, at) => address === addresses[at])
  )
}

/**
 * Who goes first when servers start together. Those on one machine want its processors all at once, though any one of them that has
 * restored its snapshot and replayed its log is enough to serve. So they go one after the other: each says when it is at work on its start
 * and how far its log reaches, and gives way to
 *
 *     the leader, if that is one of them;
 *     else whoever would win an election against it (§5.4.1), of equals the first by name.
 *
 * Nothing but pace rests on this: votes, elections and commits know nothing of it. Who gives way goes on, slowly, and one that is not heard
 * of any more is not waited for.
 */
import type { Recovered } from '../storage.ts'
import type { Index, Membership, NodeId, Term } from '../types.ts'

/** Of `scheme://host:port/path`. */
const HOST = /^[^:]*:\/\/(\[[^\]]*\]|[^:/]*)/

/** Who gives way rests so many times as long as it works: enough to be out of the way, and not so much as to stand still. */
const REST_GIVING_WAY = 8
/** A group's replay that nobody waits for, in a process of many groups: somebody may wait for others of them. */
const REST_AMONG_GROUPS = 2

/** What a start consists of. */
export type StartWork = 'restore' | 'replay'

/** Where a log ended when its server started. */
export interface Place {
  readonly term: Term
  readonly index: Index
}

/** Of what storage found at the start. */
export function endOf({ terms, snapshot, lastIndex }: Recovered): Place {
  return { term: terms.at(-1)?.term ?? snapshot?.term ?? 0, index: lastIndex }
}

export interface PrecedenceOptions {
  readonly self: NodeId
  readonly place: Place
  /** Other groups run in this process. */
  readonly amongGroups: boolean
  readonly membership: () => Membership
  readonly leader: () => NodeId | null
  /** What this server says has changed, and there is somebody whom it concerns. */
  readonly onChange: () => void
}

export class Precedence {
  readonly #options: PrecedenceOptions
  /** Others that are at work on their starts. */
  readonly #others = new Map<NodeId, Place>()
  #atWork = false

  constructor(options: PrecedenceOptions) {
    this.#options = options
  }

  /** What others are told: where the log ended, while this server is at work on its start and could lead; else null. */
  get claim(): Place | null {
    const { self, place, membership } = this.#options
    return this.#atWork && membership().voters.includes(self) ? place : null
  }

  /** Is there a reason to be slow? */
  get givesWay(): boolean {
    for (const [peer, place] of this.#others) if (this.#isBefore(peer, place)) return true
    return false
  }

  /** How long to rest after each slice, in slices. @param isWaitedFor somebody waits for what this server is at work on */
  restPerSlice(work: StartWork, isWaitedFor: boolean): number {
    if (isWaitedFor) return 0
    if (this.givesWay) return REST_GIVING_WAY
    return work === 'replay' && this.#options.amongGroups ? REST_AMONG_GROUPS : 0
  }

  /** This server restores its snapshot or replays what it found in its log, or does so no more. */
  set atWork(atWork: boolean) {
    if (this.#atWork === atWork) return
    this.#atWork = atWork
    if (this.#hasNeighbours) this.#options.onChange()
  }

  /** What a peer says of itself. */
  heard(peer: NodeId, claim: Place | null): void {
    if (claim !== null && this.#isNeighbour(peer)) this.#others.set(peer, claim)
    else this.#others.delete(peer)
  }

  /** There is no link to the peer: whatever it said is past. */
  lost(peer: NodeId): void {
    this.#others.delete(peer)
  }

  #isBefore(peer: NodeId, { term, index }: Place): boolean {
    const { self, place, leader } = this.#options
    const leading = leader()
    if (leading !== null) return leading === peer
    if (term !== place.term) return term > place.term
    if (index !== place.index) return index > place.index
    return peer < self
  }

  get #hasNeighbours(): boolean {
    return Object.keys(this.#options.membership().addresses).some((peer) => this.#isNeighbour(peer))
  }

  /** Is it reached where this server is? */
  #isNeighbour(peer: NodeId): boolean {
    const { self, membership } = this.#options
    const { addresses } = membership()
    const hosts = new Set((addresses[self] ?? []).map(hostOf))
    return peer !== self && (addresses[peer] ?? []).some((address) => hosts.has(hostOf(address)))
  }
}

function hostOf(address: string): string {
  return HOST.exec(address)?.[1] ?? address
}

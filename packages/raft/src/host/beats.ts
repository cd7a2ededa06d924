/**
 * One heartbeat between two processes for all their groups. Each process claims, in every beat, which groups it runs and which it
 * leads; core/hosts.ts says what a group makes of that. Here is only bookkeeping: no timer, no network.
 *
 *     own claims, versioned ──beat: what changed since the peer's acknowledgement──▶ the peer's view of them
 *                     the peer's beats acknowledge ◀── and claim what it runs itself
 */
import type { Milliseconds } from '@lab/rpc'
import type { Input } from '../core/ready.ts'
import type { NodeId, Term } from '../types.ts'
import { decodeBeat, encodeBeat, type Beat, type GroupClaim } from './beat.ts'
import { OwnClaims } from './own-claims.ts'

export interface BeatsOptions {
  /** Drawn at random: tells this life of the process from the ones before. Not 0. */
  readonly life: number
  /** Without a beat for so long a process is silent: the shortest election timeout. */
  readonly silentAfterMs: Milliseconds
  /** Groups whose leader fell silent campaign spread over this time at most, and this much for each of them. */
  readonly staggerMsMax: Milliseconds
  readonly staggerMsPerGroup: Milliseconds
  /** Gives the group its input, if it runs. */
  readonly tell: (group: number, input: Extract<Input, { readonly type: 'hostAlive' | 'hostSilent' }>) => void
}

interface Peer {
  /** 0 before its first beat. */
  life: number
  heardAt: Milliseconds
  alive: boolean
  /** Of the last beat that was listened to. */
  number: number
  /** Its claims are known up to here. */
  version: number
  readonly claims: Map<number, GroupClaim>
  /** Our claims that it knows: up to this version. */
  acknowledged: number
  /** Counts our beats to it. */
  sent: number
}

export class Beats {
  readonly #options: BeatsOptions
  readonly #own = new OwnClaims()
  readonly #peers = new Map<NodeId, Peer>()

  constructor(options: BeatsOptions) {
    this.#options = options
  }

  /** A group runs here from now on; it is told who is alive. */
  started(group: number): void {
    this.#own.started(group)
    for (const [id, peer] of this.#peers)
      if (peer.alive && peer.claims.has(group)) this.#tellAlive(id, peer, group, true)
  }

  /** The group's server leads in `term`; 0 when it does not. */
  leads(group: number, term: Term): void {
    this.#own.leads(group, term)
  }

  stopped(group: number): void {
    this.#own.stopped(group)
  }

  /** The next beat to the peer. */
  beatFor(id: NodeId): Uint8Array {
    const peer = this.#peer(id)
    peer.sent++
    return encodeBeat({
      life: this.#options.life,
      number: peer.sent,
      version: this.#own.version,
      since: peer.acknowledged,
      ackLife: peer.life,
      ackVersion: peer.version,
      claims: this.#own.since(peer.acknowledged),
    })
  }

  /** @throws {ProtocolError} when the bytes are no beat */
  heard(id: NodeId, bytes: Uint8Array, now: Milliseconds): void {
    const beat = decodeBeat(bytes)
    const peer = this.#peer(id)
    const isNewLife = beat.life !== peer.life
    if (!isNewLife && beat.number <= peer.number) return
    if (isNewLife) this.#begin(id, peer, beat.life)
    peer.number = beat.number
    peer.heardAt = now
    this.#acknowledge(id, peer, beat)
    const changed = this.#learn(peer, beat)
    if (!peer.alive) {
      peer.alive = true
      for (const group of peer.claims.keys()) this.#tellAlive(id, peer, group, true)
    } else for (const [group, fresh] of changed) this.#tellChanged(id, peer, group, fresh, now)
  }

  /** When somebody will be silent, unless heard before; Infinity for never. */
  get silenceAt(): Milliseconds {
    let next = Infinity
    for (const { alive, heardAt } of this.#peers.values())
      if (alive) next = Math.min(next, heardAt + this.#options.silentAfterMs)
    return next
  }

  /** This process stood still until now: who has not been heard may have spoken all the same. */
  wereDeaf(now: Milliseconds): void {
    for (const peer of this.#peers.values()) if (peer.alive) peer.heardAt = now
  }

  /** The connection to the peer broke: it is silent until its next beat. */
  lost(id: NodeId): void {
    const peer = this.#peers.get(id)
    if (peer?.alive === true) this.#fallSilent(id, peer)
  }

  /** Tells the groups whose peers have fallen silent. */
  silence(now: Milliseconds): void {
    for (const [id, peer] of this.#peers)
      if (peer.alive && now >= peer.heardAt + this.#options.silentAfterMs) this.#fallSilent(id, peer)
  }

  /** The process starts anew: what it claimed before counts for nothing. */
  #begin(id: NodeId, peer: Peer, life: number): void {
    if (peer.alive) this.#fallSilent(id, peer)
    peer.life = life
    peer.version = 0
    peer.acknowledged = 0
    peer.claims.clear()
  }

  #fallSilent(id: NodeId, peer: Peer): void {
    const { staggerMsMax, staggerMsPerGroup, tell } = this.#options
    peer.alive = false
    const claims = [...peer.claims.values()].filter(({ group }) => this.#own.runs(group))
    const led = claims.filter(({ term }) => term > 0).length
    const step = led === 0 ? 0 : Math.min(staggerMsPerGroup, staggerMsMax / led)
    let turn = 0
    for (const { group, term } of claims) {
      const stagger = term > 0 ? step * turn++ : 0
      tell(group, { type: 'hostSilent', peer: id, heardAt: peer.heardAt, stagger })
    }
  }

  /** Groups that wait for the peer to know that they lead hear that it does. */
  #acknowledge(id: NodeId, peer: Peer, { ackLife, ackVersion }: Beat): void {
    const before = peer.acknowledged
    // What an earlier life of this process said is as if never said.
    peer.acknowledged = ackLife === this.#options.life ? Math.max(before, ackVersion) : before
    if (!peer.alive || peer.acknowledged === before) return
    for (const { group, term, version } of this.#own.since(before))
      if (term > 0 && version <= peer.acknowledged && peer.claims.has(group))
        this.#tellAlive(id, peer, group, false)
  }

  /** @returns groups of which something else is claimed now, and whether their member there is a new one */
  #learn(peer: Peer, { since, version, claims }: Beat): Map<number, boolean> {
    const changed = new Map<number, boolean>()
    // Something in between was lost: our next beat says from where on we know nothing.
    if (since > peer.version) return changed
    for (const claim of claims) {
      const known = peer.claims.get(claim.group)
      if (known?.instance === claim.instance && known.term === claim.term) continue
      if (claim.instance === 0 && known === undefined) continue
      changed.set(claim.group, known?.instance !== claim.instance)
      if (claim.instance === 0) peer.claims.delete(claim.group)
      else peer.claims.set(claim.group, claim)
    }
    peer.version = Math.max(peer.version, version)
    return changed
  }

  #tellChanged(id: NodeId, peer: Peer, group: number, fresh: boolean, now: Milliseconds): void {
    if (peer.claims.has(group)) this.#tellAlive(id, peer, group, fresh)
    else if (this.#own.runs(group))
      this.#options.tell(group, { type: 'hostSilent', peer: id, heardAt: now, stagger: 0 })
  }

  #tellAlive(id: NodeId, peer: Peer, group: number, fresh: boolean): void {
    if (!this.#own.runs(group)) return
    const claim = {
      leads: peer.claims.get(group)?.term ?? 0,
      knows: this.#own.knownTerm(group, peer.acknowledged),
    }
    this.#options.tell(group, { type: 'hostAlive', peer: id, claim, fresh })
  }

  #peer(id: NodeId): Peer {
    let peer = this.#peers.get(id)
    if (peer === undefined) {
      peer = {
        life: 0,
        heardAt: -Infinity,
        alive: false,
        number: 0,
        version: 0,
        claims: new Map(),
        acknowledged: 0,
        sent: 0,
      }
      this.#peers.set(id, peer)
    }
    return peer
  }
}

/**
 * Who owns which shard, as one group sees it: pure, and changed by its own log alone.
 *
 *                  configuration N: ours            its own log has all of the data
 *     (not here) ─────────────────────────▶ waiting ─────────────────────────────▶ serving
 *          │           nobody had it before                                        ▲  │ configuration N: another's
 *          └──────────────────────────────────────────────── created ──────────────┘  ▼
 *     (not here) ◀───────────────────────── the destination's log has the data ──── frozen
 *
 * Invariants: configurations are applied one by one, in order. A group serves a shard from the entry that installs it to the entry
 * that freezes it, both in its own log. What is frozen stays until the destination has it. A group with something to wait for
 * applies no further configuration: so every group asks for a shard as of the number at which its owner froze it.
 */
import { NOBODY, type Config, type Gid } from '@lab/shardctrler'
import { assert, type Address } from '@lab/rpc'

/** Another group, and where it was reached when a shard went between it and us. */
export interface Remote {
  readonly gid: Gid
  readonly servers: readonly Address[]
}

export type ShardState =
  | { readonly name: 'serving' }
  /** Given away at configuration `num`; `to` is {@link NOBODY} while no group has taken it. */
  | { readonly name: 'frozen'; readonly num: number; readonly to: Remote }
  /** Ours since configuration `num`, and still at `from`. */
  | { readonly name: 'waiting'; readonly num: number; readonly from: Remote }

/** What a configuration means for one shard here. */
export type ShardChange =
  | { readonly shard: number; readonly what: 'created' }
  | { readonly shard: number; readonly what: 'thawed' }
  | { readonly shard: number; readonly what: 'frozen'; readonly to: Remote }
  | { readonly shard: number; readonly what: 'waiting'; readonly from: Remote }

export interface MigrationState {
  readonly config: Config
  readonly states: ReadonlyMap<number, ShardState>
  /** By shard: the last group that owned it, as data stay there when all groups leave. */
  readonly lastOwners: readonly Remote[]
}

const NO_GROUP: Remote = { gid: NOBODY, servers: [] }

export class Migration {
  readonly gid: Gid
  #config: Config | null = null
  readonly #states = new Map<number, ShardState>()
  /** By number of a shard that nobody serves: the group that did, as of the newest configuration. Of all others it says who does. */
  readonly #lastOwners = new Map<number, Remote>()

  constructor(gid: Gid, saved: MigrationState | null = null) {
    this.gid = gid
    if (saved === null) return
    this.#config = saved.config
    this.#states = new Map(saved.states)
    for (const [shard, remote] of saved.lastOwners.entries())
      if (saved.config.shards[shard] === NOBODY) this.#lastOwners.set(shard, remote)
  }

  /** The newest one applied here; null before the first. */
  get config(): Config | null {
    return this.#config
  }

  /** 0 before the first configuration. */
  get num(): number {
    return this.#config?.num ?? 0
  }

  get lastOwners(): readonly Remote[] {
    return this.#config?.shards.map((_, shard) => this.#lastOwner(shard)) ?? []
  }

  /** Shards that are here in any way, by number. */
  get states(): ReadonlyMap<number, ShardState> {
    return this.#states
  }

  serves(shard: number): boolean {
    return this.#states.get(shard)?.name === 'serving'
  }

  /** @returns why `next` cannot be applied now, in words; null when it can */
  refusal(next: Config): string | null {
    if (next.num !== this.num + 1 && !this.#mayLeapTo(next))
      return `configuration ${String(next.num)} does not follow ${String(this.num)}`
    if (this.#config !== null && next.shards.length !== this.#config.shards.length)
      return `configuration ${String(next.num)} has another number of shards`
    for (const [shard, state] of this.#states) {
      if (state.name === 'waiting')
        return `shard ${String(shard)} of configuration ${String(state.num)} has not arrived`
      // Its way back to us leads through the group that it goes to, which must have it first.
      if (state.name === 'frozen' && state.to.gid !== NOBODY && next.shards[shard] === this.gid)
        return `shard ${String(shard)} of configuration ${String(state.num)} is still to be handed over`
    }
    return null
  }

  /**
   * The controller forgets what every group has finished. So a group that is new, or comes back, and holds nothing begins at the oldest
   * configuration that is known: as it serves nothing there either, nothing was its own in between.
   */
  #mayLeapTo(next: Config): boolean {
    return next.num > this.num && this.#states.size === 0 && !next.shards.includes(this.gid)
  }

  /** All that the configurations so far ask of this group is done: what it has it serves, and nothing is on its way. */
  get isSettled(): boolean {
    return [...this.#states.values()].every(({ name }) => name === 'serving')
  }

  /** Applies a configuration that {@link refusal} does not refuse. */
  configure(next: Config): ShardChange[] {
    assert(this.refusal(next) === null, 'a configuration that may be applied')
    const changes = next.shards.flatMap((owner, shard) => this.#ownedBy(shard, owner, next) ?? [])
    for (const [shard, owner] of next.shards.entries())
      if (owner === NOBODY) this.#lastOwners.set(shard, this.#lastOwner(shard))
      else this.#lastOwners.delete(shard)
    this.#config = next
    return changes
  }

  /** All of the data is in our log. @returns false when nobody waits for it */
  arrived(shard: number, num: number): boolean {
    if (!this.waitsFor(shard, num)) return false
    this.#states.set(shard, { name: 'serving' })
    return true
  }

  waitsFor(shard: number, num: number): boolean {
    const state = this.#states.get(shard)
    return state?.name === 'waiting' && state.num === num
  }

  /** Is the shard frozen here as of this configuration? */
  holds(shard: number, num: number): boolean {
    const state = this.#states.get(shard)
    return state?.name === 'frozen' && state.num === num
  }

  /** The group that it went to has it. @returns false when it is not here any more, or again */
  handedOver(shard: number, num: number): boolean {
    return this.holds(shard, num) && this.#states.delete(shard)
  }

  /** Has this group all that configuration `num` gave it of this shard? Once so, for good. */
  hasTaken(shard: number, num: number): boolean {
    return this.num >= num && !this.waitsFor(shard, num)
  }

  #ownedBy(shard: number, owner: Gid, next: Config): ShardChange | null {
    const state = this.#states.get(shard)
    if (owner === this.gid) return state?.name === 'serving' ? null : this.#take(shard, next.num)
    if (state === undefined) return null
    // What went to nobody goes to the next owner, whoever that is.
    const moves = state.name === 'serving' || (state.name === 'frozen' && state.to.gid === NOBODY)
    if (!moves || (owner === NOBODY && state.name === 'frozen')) return null
    const to = remoteOf(next, owner)
    this.#states.set(shard, { name: 'frozen', num: next.num, to })
    return { shard, what: 'frozen', to }
  }

  #take(shard: number, num: number): ShardChange {
    const from = this.#lastOwner(shard)
    if (this.#states.has(shard)) {
      // Frozen for nobody: it never left.
      this.#states.set(shard, { name: 'serving' })
      return { shard, what: 'thawed' }
    }
    if (from.gid === NOBODY) {
      this.#states.set(shard, { name: 'serving' })
      return { shard, what: 'created' }
    }
    assert(from.gid !== this.gid, 'what this group owned last is still here')
    this.#states.set(shard, { name: 'waiting', num, from })
    return { shard, what: 'waiting', from }
  }

  /** As of the newest configuration applied here. */
  #lastOwner(shard: number): Remote {
    const owner = this.#config?.shards[shard] ?? NOBODY
    if (this.#config === null || owner === NOBODY) return this.#lastOwners.get(shard) ?? NO_GROUP
    return remoteOf(this.#config, owner)
  }
}

function remoteOf({ groups }: Config, gid: Gid): Remote {
  return { gid, servers: groups[gid] ?? [] }
}

/**
 * What one group replicates: its shards, and where each of them stands on its way from group to group. Decisions are
 * migration.ts's; here they are carried out on the stores.
 */
import { commandCodec } from '@lab/kvraft'
import { eachKey } from '@lab/kvraft/parts'
import type { ApplyContext, StateMachine } from '@lab/raft'
import { encodeOpen, encodePlain } from '@lab/raft/rsm'
import { ByteReader, ProtocolError, type Codec } from '@lab/rpc'
import { configCodec, shardOf, type Config, type Gid } from '@lab/shardctrler'
import { CommandKind, DONE, done, elsewhere, readPageCommand, refused, type PageCommand } from './commands.ts'
import { commandIn } from './envelope.ts'
import { Arrival, sameCursor } from './hand-off.ts'
import { historyBytesOf, SESSION_RULE } from './limits.ts'
import { keyIn, keysIn, tell, type ShardTrace } from './machine-trace.ts'
import { Migration, type ShardChange } from './migration.ts'
import { decodeQuery } from './queries.ts'
import { Shard, type ShardOptions } from './shard.ts'
import { readGroup, writeGroup, type GroupState } from './snapshot.ts'
import { Traffic } from './traffic.ts'

export interface ShardMachineOptions {
  readonly gid: Gid
  /** Of changes of each shard, remembered for watches. The same in all groups. Default: see limits.ts. */
  readonly historyBytes?: number
  /** Makes it hard to choose keys that collide. Default 0. */
  readonly hashSeed?: number
  /** One for all groups of a process, see shared-configs.ts. Default: the controller's. */
  readonly configs?: Codec<Config>
  /** One for all groups of a process. */
  readonly traffic?: Traffic
  readonly trace?: ShardTrace | undefined
}

/** Called in the midst of applying: take note, and do the work elsewhere. */
export interface MachineListener {
  /** Configurations, pages, what was handed over: whoever drives the migration looks again. */
  moved(): void
  /** Something was written to the shard, or it is another store from now on. */
  changed(shard: number): void
  /** So much memory has become garbage. */
  dropped(bytes: number): void
}

const EXPIRE = commandCodec.encode({ op: 'expire' })

export class ShardMachine implements StateMachine<Uint8Array, Uint8Array, Uint8Array, Uint8Array> {
  readonly gid: Gid
  readonly configs: Codec<Config>
  readonly traffic: Traffic
  readonly #historyBytes: number | undefined
  readonly #hashSeed: number
  readonly #trace: ShardTrace | undefined
  #state: GroupState
  #listener: MachineListener | null = null

  constructor({
    gid,
    historyBytes,
    hashSeed = 0,
    configs = configCodec,
    traffic = new Traffic(),
    trace,
  }: ShardMachineOptions) {
    this.gid = gid
    this.configs = configs
    this.traffic = traffic
    this.#historyBytes = historyBytes
    this.#hashSeed = hashSeed
    this.#trace = trace
    this.#state = { migration: new Migration(gid), shards: new Map(), arrivals: new Map() }
  }

  listen(listener: MachineListener): void {
    this.#listener = listener
  }

  /** Where every shard stands. To be looked at only. */
  get migration(): Migration {
    return this.#state.migration
  }

  /** The stores that are here, frozen ones too, by number. */
  get shards(): ReadonlyMap<number, Shard> {
    return this.#state.shards
  }

  /** What has come so far of shards that are waited for, by number. */
  get arrivals(): ReadonlyMap<number, Arrival> {
    return this.#state.arrivals
  }

  /** The store of a shard that this group serves; null when it does not. */
  served(shard: number): Shard | null {
    return this.migration.serves(shard) ? (this.shards.get(shard) ?? null) : null
  }

  /** @throws {ProtocolError} on bytes that are no command, or of a key that is not in its shard; nothing is changed then */
  apply(command: Uint8Array, context: ApplyContext): Uint8Array {
    const reader = new ByteReader(command)
    const kind = reader.u8()
    switch (kind) {
      case CommandKind.client:
        return this.#client(reader.varint(), reader.raw(reader.remaining), context)
      case CommandKind.open: {
        const shard = this.served(reader.varint())
        if (shard === null) return elsewhere(this.migration.num)
        return done(shard.execute(encodeOpen(reader.raw(reader.remaining), SESSION_RULE), context))
      }
      case CommandKind.configure:
        return this.#configure(this.configs.decode(reader.raw(reader.remaining)), context)
      case CommandKind.page:
        return this.#page(readPageCommand(reader), context)
      case CommandKind.delete:
        return this.#delete(reader.varint(), reader.varint())
      case CommandKind.expire:
        return this.#expire(reader.varint(), context)
      default:
        throw new ProtocolError(`a command of unknown kind ${String(kind)}`)
    }
  }

  /** @throws {ProtocolError} */
  query(query: Uint8Array): Uint8Array {
    this.traffic.count()
    const { shard: number, query: asked } = decodeQuery(query)
    const shard = this.served(number)
    const { num } = this.migration
    if (shard === null) {
      tell(this.#trace, 'refused', () => ({ shard: number, num, why: `group ${this.gid} does not serve it` }))
      return elsewhere(num)
    }
    const answer = shard.query(asked)
    tell(this.#trace, 'read', () => ({ shard: number, num, revision: shard.store.revision, ...keyIn(asked) }))
    return done(answer)
  }

  snapshot(): Iterable<Uint8Array> {
    return writeGroup(this.#state)
  }

  async restore(chunks: AsyncIterable<Uint8Array>): Promise<void> {
    const before = this.#state
    this.#state = await readGroup(chunks, this, this.#shardOptions())
    const { migration, shards } = this.#state
    tell(this.#trace, 'restored', () => ({
      num: migration.num,
      shards: [...shards.keys()].filter((shard) => migration.serves(shard)),
      waiting: [...migration.states].flatMap(([shard, { name }]) => (name === 'waiting' ? [shard] : [])),
    }))
    for (const shard of new Set([...before.shards.keys(), ...shards.keys()])) this.#changed(shard)
    this.#listener?.moved()
  }

  /** Of a shard that begins here: one that arrives, or comes out of a snapshot, brings the size of its history with it. */
  #shardOptions(): ShardOptions {
    const shards = this.migration.config?.shards.length ?? 1
    return { historyBytes: this.#historyBytes ?? historyBytesOf(shards), hashSeed: this.#hashSeed }
  }

  #client(number: number, envelope: Uint8Array, context: ApplyContext): Uint8Array {
    this.traffic.count()
    const { num, config } = this.migration
    const shard = this.served(number)
    if (shard === null || config === null) {
      tell(this.#trace, 'refused', () => ({
        ...{ shard: number, num, why: `group ${this.gid} does not serve it` },
        ...keysIn(envelope),
      }))
      return elsewhere(num)
    }
    eachKey(commandIn(envelope), (key) => {
      const home = shardOf(config, key)
      if (home !== number)
        throw new ProtocolError(`a key of shard ${String(home)} in a command for shard ${String(number)}`)
    })
    const reply = shard.execute(envelope, context)
    tell(this.#trace, 'write', () => ({
      ...{ shard: number, num, index: context.index, revision: shard.store.revision },
      ...keysIn(envelope),
    }))
    return done(reply)
  }

  #configure(next: Config, { time }: ApplyContext): Uint8Array {
    const { migration } = this.#state
    const why = migration.refusal(next)
    if (why !== null) {
      tell(this.#trace, 'refused', () => ({ num: next.num, why }))
      return refused(why)
    }
    const changes = migration.configure(next)
    tell(this.#trace, 'configured', () => ({ num: next.num, shards: next.shards }))
    for (const change of changes) this.#carryOut(change, next.num, time)
    this.#listener?.moved()
    return DONE
  }

  #carryOut(change: ShardChange, num: number, time: number): void {
    const { shard, what } = change
    if (what === 'created') this.#state.shards.set(shard, Shard.empty(this.#shardOptions()))
    if (what === 'frozen') this.#state.shards.get(shard)?.freeze(time)
    tell(this.#trace, what, () => ({
      ...{ shard, num, ...sizeOf(this.#state.shards.get(shard)) },
      ...('to' in change ? { to: change.to.gid } : {}),
      ...('from' in change ? { from: change.from.gid } : {}),
    }))
    this.#changed(shard)
  }

  #page(page: PageCommand, { time }: ApplyContext): Uint8Array {
    const { migration, shards, arrivals } = this.#state
    const { shard, num } = page
    const state = migration.states.get(shard)
    const from = state?.name === 'waiting' ? state.from.gid : undefined
    const arrival = arrivals.get(shard) ?? new Arrival(this.#shardOptions(), time)
    const why = !migration.waitsFor(shard, num)
      ? `nothing is waited for of shard ${String(shard)} of configuration ${String(num)}`
      : sameCursor(page.from, arrival.next)
        ? null
        : 'another page is waited for'
    if (why !== null) return this.#refuse(shard, num, why)
    try {
      arrival.add(page)
      arrivals.set(shard, arrival)
      tell(this.#trace, 'pulled', () => ({ shard, num, pages: arrival.pages, bytes: page.store.length }))
      if (page.next === null) {
        shards.set(shard, arrival.finish())
        arrivals.delete(shard)
        migration.arrived(shard, num)
        tell(this.#trace, 'installed', () => ({ shard, num, from, ...sizeOf(shards.get(shard)) }))
        this.#changed(shard)
      }
    } catch (thrown) {
      // Whatever the source sent, it is not a shard: from the beginning.
      arrivals.delete(shard)
      if (!(thrown instanceof ProtocolError)) throw thrown
      return this.#refuse(shard, num, thrown.message)
    }
    this.#listener?.moved()
    return DONE
  }

  #delete(shard: number, num: number): Uint8Array {
    const { migration, shards } = this.#state
    const state = migration.states.get(shard)
    const to = state?.name === 'frozen' ? state.to.gid : undefined
    if (!migration.handedOver(shard, num))
      return this.#refuse(shard, num, 'nothing is held of it for another group')
    const bytes = shards.get(shard)?.store.bytes ?? 0
    shards.delete(shard)
    this.#listener?.dropped(bytes)
    tell(this.#trace, 'deleted', () => ({ shard, num, to }))
    this.#changed(shard)
    this.#listener?.moved()
    return DONE
  }

  #expire(number: number, context: ApplyContext): Uint8Array {
    const shard = this.served(number)
    if (shard === null) return elsewhere(this.migration.num)
    return done(shard.execute(encodePlain(EXPIRE), context))
  }

  #refuse(shard: number, num: number, why: string): Uint8Array {
    tell(this.#trace, 'refused', () => ({ shard, num, why }))
    return refused(why)
  }

  #changed(shard: number): void {
    const { store } = this.#state.shards.get(shard) ?? {}
    store?.listen(() => this.#listener?.changed(shard))
    this.#listener?.changed(shard)
  }
}

/** What must be the same where it leaves and where it arrives. */
function sizeOf(shard: Shard | undefined): Readonly<Record<string, unknown>> {
  if (shard === undefined) return {}
  return { keys: shard.store.size, revision: shard.store.revision, sessions: shard.sessions }
}

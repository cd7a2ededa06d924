/**
 * A group in its snapshot, see sections.ts. Heads:
 *
 *     group    u8 1 · bytes configuration (none: no byte) · varint shards · last owner each: remote
 *     shard    u8 2 · varint shard · state            body: the shard's own snapshot
 *     arrival  u8 3 · varint shard · state · what has come    body: the store so far
 *     state    u8 0 serving · u8 1 frozen, u8 2 waiting: varint num · remote
 *     remote   varint gid · varint servers · text each
 *
 * The numbers are on disk: never reuse one.
 */
import { ByteReader, ByteWriter, ProtocolError, type Codec } from '@lab/rpc'
import { configCodec, type Config, type Gid } from '@lab/shardctrler'
import { Arrival } from './hand-off.ts'
import { Migration, type Remote, type ShardState } from './migration.ts'
import type { GroupOutline } from './outline.ts'
import { readSections, writeSections, type Section } from './sections.ts'
import { Shard, type ShardOptions } from './shard.ts'

export interface GroupState {
  readonly migration: Migration
  readonly shards: Map<number, Shard>
  readonly arrivals: Map<number, Arrival>
}

const GROUP = 1
const SHARD = 2
const ARRIVAL = 3
const STATES = ['serving', 'frozen', 'waiting'] as const

/** The group of this moment; it goes on while the chunks are drawn. */
export function writeGroup({ migration, shards, arrivals }: GroupState): Iterable<Uint8Array> {
  const sections: Section[] = [{ head: groupHead(migration), body: [] }]
  for (const [shard, state] of [...migration.states].sort(([a], [b]) => a - b)) {
    const store = shards.get(shard)
    const arrival = arrivals.get(shard)
    if (store !== undefined)
      sections.push({ head: stateHead(SHARD, shard, state).finish(), body: store.snapshot() })
    else if (arrival !== undefined) {
      const { head, body } = arrival.snapshot()
      sections.push({ head: stateHead(ARRIVAL, shard, state).raw(head).finish(), body })
    } else sections.push({ head: stateHead(ARRIVAL, shard, state).finish(), body: [] })
  }
  return writeSections(sections)
}

/** @throws {ProtocolError} on chunks that are no snapshot of ours */
export async function readGroup(
  chunks: AsyncIterable<Uint8Array>,
  { gid, configs }: { readonly gid: Gid; readonly configs: Codec<Config> },
  options: ShardOptions,
): Promise<GroupState> {
  let group: Pick<Migration, 'config' | 'lastOwners'> | null = null
  const states = new Map<number, ShardState>()
  const shards = new Map<number, Shard>()
  const arrivals = new Map<number, Arrival>()
  await readSections(chunks, async (head, body) => {
    const reader = new ByteReader(head)
    const kind = reader.u8()
    if (kind === GROUP) {
      group = readGroupHead(reader, configs)
      return
    }
    const number = reader.varint()
    states.set(number, readState(reader))
    if (kind === SHARD) {
      const shard = Shard.empty(options)
      await shard.restore(body)
      shards.set(number, shard)
    } else if (reader.remaining > 0) arrivals.set(number, await Arrival.resume(reader, body, options))
  })
  if (group === null) throw new ProtocolError("a group's snapshot without its head")
  const { config, lastOwners } = group as Pick<Migration, 'config' | 'lastOwners'>
  const saved = config === null ? null : { config, lastOwners, states }
  return { migration: new Migration(gid, saved), shards, arrivals }
}

/** The heads alone: bodies are passed over. @throws {ProtocolError} */
export async function readOutline(chunks: AsyncIterable<Uint8Array>): Promise<GroupOutline> {
  let config: GroupOutline['config'] = null
  const serving: number[] = []
  const moving: number[] = []
  await readSections(chunks, async (head) => {
    const reader = new ByteReader(head)
    if (reader.u8() === GROUP) config = readGroupHead(reader, configCodec).config
    else {
      const shard = reader.varint()
      const isServed = readState(reader).name === 'serving'
      ;(isServed ? serving : moving).push(shard)
    }
    return Promise.resolve()
  })
  return { config, serving, moving }
}

function groupHead({ config, lastOwners }: Migration): Uint8Array {
  const writer = new ByteWriter(256).u8(GROUP)
  writer.bytes(config === null ? new Uint8Array(0) : configCodec.encode(config))
  writer.varint(lastOwners.length)
  for (const remote of lastOwners) writeRemote(writer, remote)
  return writer.finish()
}

function readGroupHead(reader: ByteReader, configs: Codec<Config>): Pick<Migration, 'config' | 'lastOwners'> {
  const config = reader.bytes()
  const lastOwners = Array.from({ length: reader.count(2) }, () => readRemote(reader))
  return { config: config.length === 0 ? null : configs.decode(config), lastOwners }
}

function stateHead(kind: number, shard: number, state: ShardState): ByteWriter {
  const writer = new ByteWriter(64).u8(kind).varint(shard).u8(STATES.indexOf(state.name))
  if (state.name === 'serving') return writer
  writer.varint(state.num)
  writeRemote(writer, state.name === 'frozen' ? state.to : state.from)
  return writer
}

function readState(reader: ByteReader): ShardState {
  const name = STATES[reader.u8()]
  if (name === undefined) throw new ProtocolError('a shard in an unknown state')
  if (name === 'serving') return { name }
  const num = reader.varint()
  const remote = readRemote(reader)
  return name === 'frozen' ? { name, num, to: remote } : { name, num, from: remote }
}

function writeRemote(writer: ByteWriter, { gid, servers }: Remote): void {
  writer.varint(gid).varint(servers.length)
  for (const server of servers) writer.text(server)
}

function readRemote(reader: ByteReader): Remote {
  const gid = reader.varint()
  return { gid, servers: Array.from({ length: reader.count(1) }, () => reader.text()) }
}

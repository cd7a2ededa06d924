/**
 * A configuration as bytes, in commands' answers and in snapshots:
 *
 *     varint num · u8 key to shard (1 first byte, 2 CRC16)
 *     varint runs · per run: varint shards in a row · varint owner
 *     varint addresses · text each
 *     varint groups · per group, ascending: varint gid · varint weight · varint servers · varint place of each among the addresses
 *     varint pinned · per shard, ascending: varint
 *
 * The numbers are on disk: never reuse one.
 */
import { ByteReader, ByteWriter, ProtocolError, type Address, type Codec } from '@lab/rpc'
import { GID_MAX, SHARDS_MAX, gidsOf, weightOf, type Config, type Gid, type KeyToShard } from './config.ts'

const KEY_TO_SHARD: Readonly<Record<KeyToShard, number>> = { 'first-byte': 1, crc16: 2 }

/** `decode` throws {@link ProtocolError} on anything that `encode` would not write. */
export const configCodec: Codec<Config> = {
  encode(config) {
    const writer = new ByteWriter(256)
    writeConfig(writer, config)
    return writer.finish()
  },
  write: writeConfig,
  decode(bytes) {
    const reader = new ByteReader(bytes)
    const config = readConfig(reader)
    reader.end()
    return config
  },
}

export function writeConfig(to: ByteWriter, config: Config): void {
  to.varint(config.num)
  writeKeyToShard(to, config.keyToShard)
  writeOwners(to, config.shards)
  const gids = gidsOf(config)
  // A thousand groups are on a few machines.
  const addresses = [...new Set(gids.flatMap((gid) => config.groups[gid] ?? []))]
  const places = new Map(addresses.map((address, place) => [address, place]))
  writeServers(to, addresses)
  to.varint(gids.length)
  for (const gid of gids) {
    const servers = config.groups[gid] ?? []
    to.varint(gid).varint(weightOf(config, gid)).varint(servers.length)
    for (const server of servers) to.varint(places.get(server) ?? 0)
  }
  to.varint(config.pinned.length)
  for (const shard of config.pinned) to.varint(shard)
}

/** @throws {ProtocolError} */
export function readConfig(reader: ByteReader): Config {
  const num = reader.varint()
  const keyToShard = readKeyToShard(reader)
  const shards = readOwners(reader)
  const addresses = readServers(reader)
  const groups: Record<Gid, readonly Address[]> = {}
  const weights: Record<Gid, number> = {}
  for (let count = reader.count(3), last = 0; count > 0; count--) {
    const gid = readGid(reader)
    if (gid <= last) throw new ProtocolError('groups that do not ascend')
    const weight = reader.varint()
    if (weight !== 1) weights[gid] = weight
    groups[gid] = Array.from({ length: reader.count(1) }, () => readPlace(reader, addresses))
    last = gid
  }
  return { num, keyToShard, shards, groups, weights, pinned: readPinned(reader) }
}

export function writeKeyToShard(to: ByteWriter, keyToShard: KeyToShard): void {
  to.u8(KEY_TO_SHARD[keyToShard])
}

/** @throws {ProtocolError} */
export function readKeyToShard(reader: ByteReader): KeyToShard {
  const number = reader.u8()
  if (number === KEY_TO_SHARD['first-byte']) return 'first-byte'
  if (number === KEY_TO_SHARD.crc16) return 'crc16'
  throw new ProtocolError(`an unknown way from keys to shards ${String(number)}`)
}

export function writeServers(to: ByteWriter, servers: readonly Address[]): void {
  to.varint(servers.length)
  for (const server of servers) to.text(server)
}

/** @throws {ProtocolError} */
export function readServers(reader: ByteReader): Address[] {
  return Array.from({ length: reader.count(1) }, () => reader.text())
}

/** @throws {ProtocolError} */
export function readGid(reader: ByteReader): Gid {
  const gid = reader.varint()
  if (gid > GID_MAX) throw new ProtocolError(`a group's id of ${String(gid)}`)
  return gid
}

function readPlace(reader: ByteReader, addresses: readonly Address[]): Address {
  const address = addresses[reader.varint()]
  if (address === undefined) throw new ProtocolError('a server with an address that is not listed')
  return address
}

/** Neighbours mostly have one owner: a configuration of a thousand shards and three groups takes some bytes. */
function writeOwners(to: ByteWriter, shards: readonly Gid[]): void {
  const starts = shards.flatMap((owner, shard) => (shard === 0 || owner !== shards[shard - 1] ? [shard] : []))
  to.varint(starts.length)
  for (const [i, start] of starts.entries())
    to.varint((starts[i + 1] ?? shards.length) - start).varint(shards[start] ?? 0)
}

function readOwners(reader: ByteReader): Gid[] {
  const shards: Gid[] = []
  for (let count = reader.count(2); count > 0; count--) {
    const length = reader.varint()
    if (length === 0 || shards.length + length > SHARDS_MAX)
      throw new ProtocolError('a run of no or too many shards')
    const owner = readGid(reader)
    for (let i = 0; i < length; i++) shards.push(owner)
  }
  return shards
}

function readPinned(reader: ByteReader): number[] {
  const pinned = Array.from({ length: reader.count(1) }, () => reader.varint())
  if (pinned.some((shard, i) => shard <= (pinned[i - 1] ?? -1)))
    throw new ProtocolError('pinned shards that do not ascend')
  return pinned
}

/** The configuration that follows another by one command, or why the command is refused. Pure. */
import { parseAddress, type Address } from '@lab/rpc'
import type { Command, NewGroup } from './commands.ts'
import { GID_MAX, weightOf, type Config, type Gid } from './config.ts'
import { rebalance } from './rebalance.ts'
import type { Refusal } from './results.ts'

/** The commands that make configurations. */
export type Change = Exclude<Command, { readonly op: 'create' | 'finished' }>

export type Refused = { readonly code: Refusal; readonly message: string }

const WEIGHT_MAX = 1000

/** @returns the next configuration; `config` itself when there is nothing to change */
export function nextConfig(config: Config, change: Change): Config | Refused {
  switch (change.op) {
    case 'join':
      return joined(config, change.groups)
    case 'leave':
      return left(config, change.gids)
    case 'move':
      return moved(config, change.shard, change.gid)
    case 'pin':
      return repinned(config, change.shards, [...config.pinned, ...change.shards])
    case 'unpin':
      return repinned(
        config,
        change.shards,
        config.pinned.filter((shard) => !change.shards.includes(shard)),
      )
    case 'weigh':
      return weighed(config, change.gid, change.weight)
    case 'relocate':
      return relocated(config, change.gid, change.servers)
  }
}

function joined(config: Config, joining: readonly NewGroup[]): Config | Refused {
  if (joining.length === 0) return config
  const groups: Record<Gid, readonly Address[]> = { ...config.groups }
  const weights: Record<Gid, number> = { ...config.weights }
  for (const { gid, weight, servers } of joining) {
    const wrong = checkGid(gid) ?? checkWeight(weight) ?? checkServers(gid, servers)
    if (wrong !== null) return wrong
    if (gid in groups) return { code: 'DUPLICATE_GID', message: `group ${gid} has joined already` }
    groups[gid] = servers
    if (weight !== 1) weights[gid] = weight
  }
  return balanced({ ...config, groups: ascending(groups), weights: ascending(weights) })
}

function left(config: Config, leaving: readonly Gid[]): Config | Refused {
  if (leaving.length === 0) return config
  const gone = new Set(leaving)
  for (const gid of gone) if (!(gid in config.groups)) return unknownGid(config, gid)
  const stays = ([gid]: readonly [string, unknown]): boolean => !gone.has(Number(gid))
  return balanced({
    ...config,
    groups: Object.fromEntries(Object.entries(config.groups).filter(stays)),
    weights: Object.fromEntries(Object.entries(config.weights).filter(stays)),
    // A pin says where a shard stays; there it cannot.
    pinned: config.pinned.filter((shard) => !gone.has(config.shards[shard] ?? 0)),
  })
}

/** As in the labs: nothing else moves, and the next join or leave may move it again, unless it is pinned. */
function moved(config: Config, shard: number, gid: Gid): Config | Refused {
  const wrong = checkShard(config, shard)
  if (wrong !== null) return wrong
  if (!(gid in config.groups)) return unknownGid(config, gid)
  if (config.shards[shard] === gid) return config
  return next({ ...config, shards: config.shards.with(shard, gid) })
}

/** Does not move anything: what is unpinned takes part in the next rebalancing. */
function repinned(config: Config, named: readonly number[], pinned: readonly number[]): Config | Refused {
  for (const shard of named) {
    const wrong = checkShard(config, shard)
    if (wrong !== null) return wrong
    if (config.shards[shard] === 0)
      return { code: 'UNKNOWN_GID', message: `nobody serves shard ${shard}: it has no place` }
  }
  const unique = [...new Set(pinned)].sort((a, b) => a - b)
  return unique.length === config.pinned.length ? config : next({ ...config, pinned: unique })
}

function weighed(config: Config, gid: Gid, weight: number): Config | Refused {
  if (!(gid in config.groups)) return unknownGid(config, gid)
  const wrong = checkWeight(weight)
  if (wrong !== null) return wrong
  if (weightOf(config, gid) === weight) return config
  const others = Object.entries(config.weights).filter(([other]) => Number(other) !== gid)
  const weights: Record<Gid, number> = Object.fromEntries(others)
  if (weight !== 1) weights[gid] = weight
  return balanced({ ...config, weights: ascending(weights) })
}

function relocated(config: Config, gid: Gid, servers: readonly Address[]): Config | Refused {
  const current = config.groups[gid]
  if (current === undefined) return unknownGid(config, gid)
  const wrong = checkServers(gid, servers)
  if (wrong !== null) return wrong
  if (current.join() === servers.join()) return config
  return next({ ...config, groups: { ...config.groups, [gid]: servers } })
}

function balanced(config: Config): Config {
  return next({ ...config, shards: rebalance(config) })
}

function next(config: Config): Config {
  return { ...config, num: config.num + 1 }
}

/** The order of the keys is part of what is compared and written: it shall not depend on who came when. */
function ascending<T>(record: Readonly<Record<Gid, T>>): Record<Gid, T> {
  return Object.fromEntries(Object.entries(record).sort(([a], [b]) => Number(a) - Number(b)))
}

function unknownGid({ num }: Config, gid: Gid): Refused {
  return { code: 'UNKNOWN_GID', message: `there is no group ${gid} in configuration ${num}` }
}

function checkGid(gid: Gid): Refused | null {
  if (gid >= 1 && gid <= GID_MAX) return null
  return { code: 'BAD_GID', message: `a group's id is a whole number from 1 to ${GID_MAX}, not ${gid}` }
}

function checkShard({ shards }: Config, shard: number): Refused | null {
  if (shard < shards.length) return null
  return {
    code: 'BAD_SHARD',
    message: `shards are numbered from 0 to ${shards.length - 1}, there is no ${shard}`,
  }
}

function checkWeight(weight: number): Refused | null {
  if (weight >= 1 && weight <= WEIGHT_MAX) return null
  return { code: 'BAD_WEIGHT', message: `a weight is a whole number from 1 to ${WEIGHT_MAX}, not ${weight}` }
}

function checkServers(gid: Gid, servers: readonly Address[]): Refused | null {
  if (servers.length === 0) return { code: 'NO_SERVERS', message: `group ${gid} has no servers` }
  if (new Set(servers).size < servers.length)
    return { code: 'NO_SERVERS', message: `group ${gid} has a server twice: ${servers.join(', ')}` }
  const bad = servers.find((server) => !isAddress(server))
  if (bad === undefined) return null
  return { code: 'BAD_SERVER', message: `group ${gid}: not an address: ${JSON.stringify(bad)}` }
}

/** `tcp://host:port`, or without the scheme, as in the options of a client. */
function isAddress(address: Address): boolean {
  try {
    const { host } = parseAddress(address.includes('://') ? address : `any://${address}`)
    return host !== ''
  } catch {
    return false
  }
}

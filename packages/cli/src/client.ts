/** Which cluster a command talks to, and the options that say so. */
import { resolve } from 'node:path'
import { Clerk, type ClerkOptions } from '@lab/kvraft/clerk'
import { RaftClient, RaftError } from '@lab/raft'
import { parseAddress, toError } from '@lab/rpc'
import { Clerk as ShardClerk } from '@lab/shardkv'
import { Option, type Command } from 'commander'
import { CONNECTION_GROUP } from './help.ts'
import type { Io } from './io.ts'
import { findLabFolder, readClusterFile } from './local/cluster-file.ts'
import { parseDuration, parseNumber, splitList, usage } from './parse.ts'
import {
  addTlsOptions,
  openTls,
  readClientToken,
  tlsConfigOf,
  type TlsConfig,
  type TlsFlags,
} from './security.ts'
import { CLIENT_ID, clientTlsOf, readConfigFile, type ConfigFile } from './server/config-file.ts'
import { allTransports } from './transports.ts'

export interface ClientFlags extends TlsFlags {
  readonly servers?: string
  readonly config?: string
  /** Of a sharded store: which group is meant. 0 is the controller. */
  readonly group?: number
  readonly clusterId?: string
  readonly tokenFile?: string
  readonly timeout: number
}

const TIMEOUT_MS = 10_000

export function addClientOptions(command: Command): Command {
  const before = command.options.length
  const connection = command
    .addOption(
      new Option('--servers <list>', 'addresses, with commas between; else the cluster of lab up').env(
        'LAB_SERVERS',
      ),
    )
    .addOption(
      new Option('--config <file>', 'the cluster file says where it is, as for lab server').env('LAB_CONFIG'),
    )
    .addOption(new Option('--cluster-id <name>', 'refuse servers of any other cluster').env('LAB_CLUSTER_ID'))
    .addOption(new Option('--token-file <file>', 'holds the token of the cluster; or LAB_TOKEN'))
    .addOption(
      new Option('--timeout <time>', 'how long to go on trying: 500ms, 5s, 2m')
        .env('LAB_TIMEOUT')
        .argParser(parseDuration)
        .default(TIMEOUT_MS, '10s'),
    )
  for (const option of addTlsOptions(connection).options.slice(before)) option.helpGroup(CONNECTION_GROUP)
  return command
}

/** For what concerns one Raft group. */
export function addGroupOption(command: Command): Command {
  return command.addOption(
    new Option('--group <number>', 'of a sharded store: that group (default: 0, the controller)').argParser(
      (text: string) => (text === 'controller' ? 0 : parseNumber(text)),
    ),
  )
}

export interface Target {
  /** Of a sharded store: the controller's. */
  readonly servers: readonly string[]
  readonly clusterId: string
  /** Null for a replicated store. */
  readonly shards: ShardTarget | null
}

/** With what its file says of TLS. */
interface FoundTarget extends Target {
  readonly tls?: TlsConfig | undefined
}

/** Where a sharded store is. */
export interface ShardTarget {
  /** Node id → addresses. */
  readonly nodes: Readonly<Record<string, readonly string[]>>
  readonly controllers: readonly string[]
}

/** When neither a flag nor a file names it. */
export const DEFAULT_CLUSTER_ID = 'lab'

/** Flag or environment, else the nearest `.lab/cluster.json`. @throws {CliError} `USAGE` when there is neither */
export function findCluster({ servers, config, clusterId }: ClientFlags, from: string): FoundTarget {
  if (servers !== undefined)
    return { servers: parseServers(servers), clusterId: clusterId ?? DEFAULT_CLUSTER_ID, shards: null }
  if (config !== undefined) return targetOf(readConfigFile(resolve(from, config), CLIENT_ID), clusterId)
  const folder = findLabFolder(from)
  if (folder === null)
    throw usage(
      'no cluster named: give --servers host:port,… (or LAB_SERVERS), or start one here with lab up',
    )
  const { cluster, nodes, config: file } = readClusterFile(folder)
  if (file !== undefined) return targetOf(readConfigFile(file, CLIENT_ID), clusterId ?? cluster)
  const addresses = Object.values(nodes).map(({ address }) => address)
  return { servers: addresses, clusterId: clusterId ?? cluster, shards: null }
}

/** What no transport could dial is a mistake on the command line, not a server that is down. */
function parseServers(text: string): readonly string[] {
  const servers = splitList(text)
  if (servers.length === 0) throw usage('--servers names nobody: give host:port,…')
  for (const server of servers) {
    const address = server.includes('://') ? server : `${SCHEMES[0]}://${server}`
    try {
      const { scheme, port } = parseAddress(address)
      if (SCHEMES.some((known) => known === scheme) && (port !== undefined || scheme.startsWith('ws')))
        continue
    } catch (thrown) {
      throw usage(`--servers: ${toError(thrown).message}`, { cause: thrown })
    }
    throw usage(
      `--servers: "${server}" is none of host:port, ${SCHEMES.map((known) => `${known}://…`).join(', ')}`,
    )
  }
  return servers
}

const SCHEMES = ['tcp', 'tls', 'ws', 'wss'] as const

function targetOf(file: ConfigFile, given: string | undefined): FoundTarget {
  const { nodes = {}, controller, cluster } = file
  const clusterId = given ?? cluster ?? DEFAULT_CLUSTER_ID
  const tls = clientTlsOf(file)
  if (controller === undefined) return { servers: Object.values(nodes).flat(), clusterId, shards: null, tls }
  const controllers = controller.flatMap((id) => nodes[id] ?? [])
  return { servers: controllers, clusterId, shards: { nodes, controllers }, tls }
}

/** What `lab kv` needs of a clerk, be the store replicated or sharded. */
export type KvClerk = Pick<
  Clerk,
  'getEntry' | 'put' | 'append' | 'cas' | 'delete' | 'txn' | 'entries' | 'watch' | 'close'
>

/** @throws {RaftError} `UNAVAILABLE` when none of the servers answers */
export async function connectClerk(flags: ClientFlags, io: Io): Promise<KvClerk> {
  const { shards, ...options } = clientOptions(flags, io, 'client')
  if (shards === null) return Clerk.connect(options)
  return shardedClerk(await ShardClerk.connect({ ...options, controllers: shards.controllers }))
}

/** For what all Raft clusters have in common. As a client it only asks. @param known where its servers are, when that is known better @throws {RaftError} `UNAVAILABLE` when none of the servers answers */
export async function connectClient(
  flags: ClientFlags,
  io: Io,
  role: 'client' | 'admin' = 'client',
  known?: readonly string[],
): Promise<RaftClient> {
  const { shards, ...options } = clientOptions(flags, io, role)
  const { group = 0 } = flags
  const servers =
    known ?? (shards === null || group === 0 ? options.servers : Object.values(shards.nodes).flat())
  const connected = RaftClient.connect({ ...options, servers, group, role })
  return role === 'client' ? reading(connected) : connected
}

/** What only asks changes nothing, whatever becomes of it: its errors need not say so. */
export async function reading<T>(work: Promise<T>): Promise<T> {
  try {
    return await work
  } catch (thrown) {
    throw thrown instanceof RaftError ? new RaftError(thrown.code, thrown.message, { cause: thrown }) : thrown
  }
}

/** What all clients take: where, how, and how long. */
export function clientOptions(flags: ClientFlags, { env, cwd }: Io, role: 'client' | 'admin'): ClientOptions {
  const token = readClientToken(flags.tokenFile, env, role)
  const { tls: ofFile, ...target } = findCluster(flags, cwd)
  const given = tlsConfigOf(flags)
  const tls = ofFile === undefined && given === undefined ? undefined : openTls({ ...ofFile, ...given })
  const transports = allTransports(tls)
  const { timeout } = flags
  return {
    ...target,
    ...{ timeout, connectTimeout: timeout, transports },
    ...(token === undefined ? {} : { token }),
  }
}

export type ClientOptions = Target &
  Required<Pick<ClerkOptions, 'timeout' | 'connectTimeout' | 'transports'>> &
  Pick<ClerkOptions, 'token'>

/** Revisions are a shard's: a watch cannot come back to one number. */
function shardedClerk(clerk: ShardClerk): KvClerk {
  return {
    getEntry: (key, options) => clerk.getEntry(key, options),
    put: (key, value, options) => clerk.put(key, value, options),
    append: (key, value, options) => clerk.append(key, value, options),
    cas: (key, value, expected, options) => clerk.cas(key, value, expected, options),
    delete: (key, options) => clerk.delete(key, options),
    txn: (request, options) => clerk.txn(request, options),
    entries: (range, options) => clerk.entries(range, options),
    watch(range, { after, signal } = {}) {
      if (after !== undefined && after > 0)
        throw usage('--after counts within one shard: of a sharded store, only --after 0 or none')
      const since = after === undefined ? {} : { after: clerk.config.shards.map(() => 0) }
      return clerk.watch(range, { ...since, ...(signal === undefined ? {} : { signal }) })
    },
    close: () => clerk.close(),
  }
}

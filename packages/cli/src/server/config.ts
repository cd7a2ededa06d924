/** What `lab server` runs with: flag, else environment (commander joins the two), else cluster file, else default. */
import type { CertificatesOf } from '@lab/rpc/tls'
import { DEFAULT_CLUSTER_ID } from '../client.ts'
import { parseMembers, splitList, usage } from '../parse.ts'
import { tlsConfigOf, type TlsConfig, type TlsFlags, type TokenFiles } from '../security.ts'
import { parseAdminAddress, type AdminAddress } from './admin/address.ts'
import { readConfigFile, type ConfigFile } from './config-file.ts'
import type { LogFormat, LogLevel, LogStyle } from './log.ts'
import { address, list, mapOf, name } from './shapes.ts'

/** As commander gives them: each from its flag or its environment variable. */
export interface ServerFlags extends TlsFlags {
  readonly id?: string
  readonly members?: string
  readonly data?: string
  readonly listen?: readonly string[]
  readonly join?: readonly string[]
  readonly clusterId?: string
  readonly config?: string
  readonly tlsClients?: CertificatesOf
  readonly tokenFile?: string
  readonly peerTokenFile?: string
  readonly adminTokenFile?: string
  readonly origin?: readonly string[]
  readonly admin?: string
  readonly insecure?: boolean
  readonly log?: LogFormat
  readonly logLevel?: LogLevel
}

/** What every server has, whatever it keeps. */
export interface ServerConfig {
  readonly id: string
  readonly clusterId: string
  /** The folder of its data. */
  readonly data: string
  readonly listen: readonly string[]
  readonly plan: ServerPlan
  readonly tls: TlsConfig | undefined
  readonly tokens: TokenFiles
  readonly origins: readonly string[]
  /** Undefined: nowhere. */
  readonly admin: AdminAddress | undefined
  readonly insecure: boolean
  readonly log: LogStyle
}

export type ServerPlan = KvPlan | ShardPlan

/** One replicated store: a member of the cluster, or one that waits to be added to it. */
export interface KvPlan {
  readonly kind: 'kv'
  /** Node id → addresses. Missing for a server that joins. */
  readonly members?: Readonly<Record<string, readonly string[]>>
  /** Addresses of the cluster that it waits for. */
  readonly join?: readonly string[]
}

/** A sharded store: what of it runs here follows from the node's id. */
export interface ShardPlan {
  readonly kind: 'shards'
  /** Node id → addresses. */
  readonly nodes: Readonly<Record<string, readonly string[]>>
  readonly shards: number
  /** Node ids. */
  readonly controller: readonly string[]
  /** Group number → node ids. */
  readonly groups: Readonly<Record<string, readonly string[]>>
}

/** Enough for some dozens of groups to have an equal share. */
const DEFAULT_SHARDS = 64

/** @throws {CliError} `USAGE` when something is missing, not acceptable or contradicts itself */
export function resolveServerConfig(flags: ServerFlags): ServerConfig {
  if (flags.id === undefined) throw usage('which server is this? Give --id, such as --id n1')
  const id = name(flags.id, '--id')
  const file = flags.config === undefined ? {} : readConfigFile(flags.config, id)
  const admin = flags.admin ?? file.admin
  const plan = planOf(id, flags, file)
  if (flags.data === undefined) throw usage(`where do the data go? Give --data, such as --data ./data/${id}`)
  return {
    id,
    clusterId: name(flags.clusterId ?? file.cluster ?? DEFAULT_CLUSTER_ID, '--cluster-id'),
    data: flags.data,
    listen: listenOf(id, plan, flags),
    plan,
    tls: tlsOf(flags, file),
    tokens: tokensOf(flags, file),
    admin: admin === undefined ? undefined : parseAdminAddress(admin),
    origins: flags.origin?.flatMap(splitList) ?? file.origins ?? [],
    insecure: flags.insecure ?? file.insecure ?? false,
    log: {
      format: flags.log ?? file.log ?? 'text',
      level: flags.logLevel ?? file.logLevel ?? 'info',
    },
  }
}

/** Each part from the flag, else from the file. */
function tlsOf(flags: ServerFlags, file: ConfigFile): TlsConfig | undefined {
  const given = tlsConfigOf(flags)
  if (given === undefined && file.tls === undefined) return undefined
  return { ...file.tls, ...given, ...(flags.tlsClients === undefined ? {} : { clients: flags.tlsClients }) }
}

function tokensOf({ tokenFile, peerTokenFile, adminTokenFile }: ServerFlags, file: ConfigFile): TokenFiles {
  return {
    ...file.tokens,
    ...(tokenFile === undefined ? {} : { client: tokenFile }),
    ...(peerTokenFile === undefined ? {} : { peer: peerTokenFile }),
    ...(adminTokenFile === undefined ? {} : { admin: adminTokenFile }),
  }
}

function planOf(id: string, flags: ServerFlags, file: ConfigFile): ServerPlan {
  if (flags.join !== undefined) {
    const join = list(address)(flags.join.flatMap(splitList), '--join')
    return { kind: 'kv', join }
  }
  const nodes = flags.members === undefined ? file.nodes : membersOf(flags.members)
  if (nodes === undefined)
    throw usage(`who else is there? Give --members ${id}=tcp://localhost:7001,… or --config FILE`)
  if (!Object.hasOwn(nodes, id))
    throw usage(`--id is ${id}, but the members are ${Object.keys(nodes).join(', ') || 'nobody'}`)
  return flags.members === undefined && isSharded(file)
    ? shardPlan(nodes, file, flags.config ?? '')
    : { kind: 'kv', members: nodes }
}

function isSharded({ controller, groups, shards }: ConfigFile): boolean {
  return controller !== undefined || groups !== undefined || shards !== undefined
}

/** A node that it gives nothing to do is a spare: `lab shard join` and `lab shard replace` give it replicas later. */
function shardPlan(nodes: ShardPlan['nodes'], file: ConfigFile, path: string): ShardPlan {
  const { controller, groups = {}, shards = DEFAULT_SHARDS } = file
  if (controller === undefined)
    throw usage(`--config ${path} has groups or shards and no controller: name the nodes that assign them`)
  return { kind: 'shards', nodes, shards, controller, groups }
}

function listenOf(id: string, plan: ServerPlan, { listen }: ServerFlags): readonly string[] {
  if (listen !== undefined) return list(address)(listen.flatMap(splitList), '--listen')
  const known = plan.kind === 'kv' ? plan.members?.[id] : plan.nodes[id]
  if (known === undefined) throw usage('--join needs --listen too: where the cluster reaches this server')
  return known
}

function membersOf(members: string): Record<string, readonly string[]> {
  const read = mapOf(name, address)(parseMembers(members), '--members')
  return Object.fromEntries(Object.entries(read).map(([id, at]) => [id, [at]]))
}

/** What `lab server kv` runs with: flags and environment first, then the file of `--config`. */
import { readFileSync } from 'node:fs'
import { toError } from '@lab/rpc'
import { parseMembers, splitList, usage } from '../parse.ts'

/** As commander gives them: each from its flag or its environment variable. */
export interface ServerFlags {
  readonly id?: string
  readonly members?: string
  readonly data?: string
  readonly listen?: readonly string[]
  readonly join?: readonly string[]
  readonly clusterId?: string
  readonly config?: string
}

export interface ServerConfig {
  readonly id: string
  /** Missing for a server that joins. */
  readonly members: Readonly<Record<string, string>> | undefined
  /** Missing for one that does not. */
  readonly join: readonly string[] | undefined
  readonly data: string
  /** Missing: the address in `members`. */
  readonly listen: readonly string[] | undefined
  readonly clusterId: string
}

/** The same file on all machines of a cluster: `{ "cluster": "prod", "nodes": { "m1": "tcp://10.0.0.1:7000" } }`. */
interface ConfigFile {
  readonly cluster?: string
  readonly nodes?: Readonly<Record<string, string>>
}

const DEFAULT_CLUSTER_ID = 'lab'
const FILE_KEYS = ['cluster', 'nodes']

/** @throws {CliError} `USAGE` when something is missing or contradicts itself */
export function resolveServerConfig(flags: ServerFlags): ServerConfig {
  const file = flags.config === undefined ? {} : readConfigFile(flags.config)
  const { id, data } = flags
  if (id === undefined) throw usage('which server is this? Give --id, such as --id n1')
  const listen = flags.listen?.flatMap(splitList)
  const join = flags.join?.flatMap(splitList)
  const clusterId = flags.clusterId ?? file.cluster ?? DEFAULT_CLUSTER_ID
  if (join !== undefined) {
    if (listen === undefined) throw usage('--join needs --listen too: where the cluster reaches this server')
    if (data === undefined) throw noData(id)
    return { id, members: undefined, join, data, listen, clusterId }
  }
  const members = flags.members === undefined ? file.nodes : parseMembers(flags.members)
  if (members === undefined)
    throw usage(`who else is there? Give --members ${id}=tcp://localhost:7001,… or --config FILE`)
  if (!Object.hasOwn(members, id))
    throw usage(`--id is ${id}, but the members are ${Object.keys(members).join(', ') || 'nobody'}`)
  if (data === undefined) throw noData(id)
  return { id, members, join, data, listen, clusterId }
}

function noData(id: string): Error {
  return usage(`where do the data go? Give --data, such as --data ./data/${id}`)
}

function readConfigFile(path: string): ConfigFile {
  let value: unknown
  try {
    value = JSON.parse(readFileSync(path, 'utf8'))
  } catch (cause) {
    throw usage(`--config ${path}: ${toError(cause).message}`, { cause })
  }
  if (typeof value !== 'object' || value === null) throw usage(`--config ${path} holds no JSON object`)
  const unknown = Object.keys(value).filter((key) => !FILE_KEYS.includes(key))
  if (unknown.length > 0)
    throw usage(
      `--config ${path}: unknown ${unknown.join(', ')}; a KV server knows ${FILE_KEYS.join(' and ')}`,
    )
  const { cluster, nodes } = value as Partial<Record<keyof ConfigFile, unknown>>
  if (cluster !== undefined && typeof cluster !== 'string')
    throw usage(`--config ${path}: cluster must be a text`)
  if (nodes !== undefined && !isNodes(nodes))
    throw usage(`--config ${path}: nodes must be like { "n1": "tcp://localhost:7001" }`)
  return { ...(cluster === undefined ? {} : { cluster }), ...(nodes === undefined ? {} : { nodes }) }
}

function isNodes(value: unknown): value is Record<string, string> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false
  return Object.values(value).every((address) => typeof address === 'string')
}

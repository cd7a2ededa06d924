/**
 * The cluster file, the same on all machines: who is there, and who does what. docs/configuration.md shows one with every key.
 *
 *     { "cluster": "prod", "nodes": { "m1": "tcp://10.0.0.1:7000", … },                            one replicated store
 *       "shards": 64, "controller": ["m1", "m2", "m3"], "groups": { "100": ["m1", "m2", "m3"] } }  or a sharded one
 */
import { existsSync, readFileSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { toError } from '@lab/rpc'
import { usage } from '../parse.ts'
import type { TlsConfig, TokenFiles } from '../security.ts'
import { LOG_FORMATS, LOG_LEVELS, type LogFormat, type LogLevel } from './log.ts'
import {
  addresses,
  flag,
  list,
  mapOf,
  name,
  oneOf,
  record,
  text,
  wholeNumber,
  type Reader,
} from './shapes.ts'

export interface ConfigFile {
  readonly cluster?: string
  /** Node id → where it is reached, at one address or more. */
  readonly nodes?: Readonly<Record<string, readonly string[]>>
  readonly shards?: number
  /** Ids of the nodes that assign shards to groups. */
  readonly controller?: readonly string[]
  /** Group number → ids of its nodes. */
  readonly groups?: Readonly<Record<string, readonly string[]>>
  readonly tls?: TlsConfig
  readonly tokens?: TokenFiles
  readonly origins?: readonly string[]
  /** Where health, metrics and traces are asked for. */
  readonly admin?: string
  readonly insecure?: boolean
  readonly log?: LogFormat
  readonly logLevel?: LogLevel
}

const SHARDS_MAX = 16_384
const GROUP_MAX = 2 ** 32 - 1

const groupNumber: Reader<string> = (value, at) => {
  const number = text(value, at)
  if (/^[1-9]\d*$/.test(number) && Number(number) <= GROUP_MAX) return number
  throw usage(`${at} must be a number from 1 to ${GROUP_MAX}, not "${number}"`)
}

const readFile = record<ConfigFile>({
  cluster: name,
  nodes: mapOf(name, addresses),
  shards: wholeNumber(1, SHARDS_MAX),
  controller: list(name),
  groups: mapOf(groupNumber, list(name)),
  tls: record<TlsConfig>({
    ca: text,
    cert: text,
    key: text,
    clients: oneOf(['none', 'peers', 'all']),
    serverName: text,
  }),
  tokens: record<TokenFiles>({ peer: text, client: text, admin: text }),
  origins: list(text),
  admin: text,
  insecure: flag,
  log: oneOf(LOG_FORMATS),
  logLevel: oneOf(LOG_LEVELS),
})

/**
 * @param id whose view it is: `{id}` in a path stands for it, and a path that is not absolute begins where the file is
 * @throws {CliError} `USAGE` with the file, the key and the value that is not acceptable
 */
export function readConfigFile(path: string, id: string): ConfigFile {
  const at = `--config ${path}`
  const file = withPaths(readFile(parse(path, at), at), (given) =>
    resolve(dirname(path), given.replaceAll('{id}', id)),
  )
  for (const [key, ids] of [['controller', file.controller ?? []], ...groupsOf(file)] as const)
    for (const id of ids)
      if (file.nodes === undefined || !Object.hasOwn(file.nodes, id))
        throw usage(`${at}: ${key} names ${id}, but nodes are ${namesOf(file.nodes)}`)
  return file
}

/** Whose view of the file a command takes, which has no id of its own there. */
export const CLIENT_ID = 'client'

/**
 * What a client takes of a file read for {@link CLIENT_ID}: whom to trust; and the certificate to show, `{id}` being `client`, where the servers
 * ask all for one and it is there.
 */
export function clientTlsOf({ tls }: ConfigFile): TlsConfig | undefined {
  if (tls === undefined) return undefined
  const { ca, serverName, cert, key, clients } = tls
  const shows = clients === 'all' && cert !== undefined && key !== undefined && existsSync(cert)
  return {
    ...(ca === undefined ? {} : { ca }),
    ...(serverName === undefined ? {} : { serverName }),
    ...(shows ? { cert, key } : {}),
  }
}

function withPaths(file: ConfigFile, complete: (path: string) => string): ConfigFile {
  const { tls, tokens = {} } = file
  const paths = (['ca', 'cert', 'key'] as const).flatMap((name) =>
    tls?.[name] === undefined ? [] : [[name, complete(tls[name])] as const],
  )
  const tokenPaths = Object.entries(tokens).map(([role, given]) => [role, complete(given)] as const)
  return {
    ...file,
    ...(tls === undefined ? {} : { tls: { ...tls, ...Object.fromEntries(paths) } }),
    ...(file.tokens === undefined ? {} : { tokens: Object.fromEntries(tokenPaths) }),
  }
}

function groupsOf({ groups = {} }: ConfigFile): (readonly [string, readonly string[]])[] {
  return Object.entries(groups).map(([gid, ids]) => [`groups.${gid}`, ids] as const)
}

function namesOf(nodes: ConfigFile['nodes']): string {
  return Object.keys(nodes ?? {}).join(', ') || 'not listed'
}

function parse(path: string, at: string): unknown {
  try {
    return JSON.parse(readFileSync(path, 'utf8'))
  } catch (cause) {
    throw usage(`${at}: ${toError(cause).message}`, { cause })
  }
}

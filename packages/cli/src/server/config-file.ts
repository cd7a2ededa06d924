/**
 * The cluster file, the same on all machines: who is there, and who does what. docs/configuration.md shows one with every key.
 *
 *     { "cluster": "prod", "nodes": { "m1": "tcp://10.0.0.1:7000", … },                            one replicated store
 *       "shards": 64, "controller": ["m1", "m2", "m3"], "groups": { "100": ["m1", "m2", "m3"] } }  or a sharded one
 */
import { readFileSync } from 'node:fs'
import { toError } from '@lab/rpc'
import { usage } from '../parse.ts'
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
  readonly origins?: readonly string[]
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
  origins: list(text),
  insecure: flag,
  log: oneOf(LOG_FORMATS),
  logLevel: oneOf(LOG_LEVELS),
})

/** @throws {CliError} `USAGE` with the file, the key and the value that is not acceptable */
export function readConfigFile(path: string): ConfigFile {
  const at = `--config ${path}`
  const file = readFile(parse(path, at), at)
  for (const [key, ids] of [['controller', file.controller ?? []], ...groupsOf(file)] as const)
    for (const id of ids)
      if (file.nodes === undefined || !Object.hasOwn(file.nodes, id))
        throw usage(`${at}: ${key} names ${id}, but nodes are ${namesOf(file.nodes)}`)
  return file
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

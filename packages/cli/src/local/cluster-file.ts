/**
 * `.lab/cluster.json`: the cluster that `lab up` runs on this machine, and where it is. Found upwards from the working
 * folder, as git finds its own, so that `lab kv get x` needs no flags.
 */
import { existsSync, readFileSync, renameSync, mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { CliError } from '../errors.ts'

export const LAB_FOLDER = '.lab'
const FILE = 'cluster.json'
const VERSION = 1

export interface ClusterFile {
  readonly version: typeof VERSION
  /** The cluster id. */
  readonly cluster: string
  /** Of a sharded store, and of one with certificates: its cluster file, as for `lab server --config`. Absolute. */
  readonly config?: string
  /** By node id. */
  readonly nodes: Readonly<Record<string, LocalNode>>
}

export interface LocalNode {
  readonly address: string
  /** Absolute. */
  readonly data: string
  /** Where its standard error goes. Absolute. */
  readonly log: string
  /** Of the latest start; it may have ended since. */
  readonly pid: number
}

/** @returns the `.lab` folder at `from` or above it that holds a cluster, or null */
export function findLabFolder(from: string): string | null {
  const folder = join(from, LAB_FOLDER)
  if (existsSync(join(folder, FILE))) return folder
  const parent = dirname(resolve(from))
  return parent === resolve(from) ? null : findLabFolder(parent)
}

/** @throws {CliError} when it is damaged */
export function readClusterFile(labFolder: string): ClusterFile {
  const path = join(labFolder, FILE)
  let value: unknown
  try {
    value = JSON.parse(readFileSync(path, 'utf8'))
  } catch (cause) {
    throw damaged(path, cause)
  }
  if (!isClusterFile(value)) throw damaged(path, undefined)
  return value
}

export function writeClusterFile(labFolder: string, content: Omit<ClusterFile, 'version'>): void {
  mkdirSync(labFolder, { recursive: true })
  const path = join(labFolder, FILE)
  // Whole or not at all: another command may read it meanwhile.
  writeFileSync(`${path}.new`, `${JSON.stringify({ version: VERSION, ...content }, null, 2)}\n`)
  renameSync(`${path}.new`, path)
}

function isClusterFile(value: unknown): value is ClusterFile {
  if (typeof value !== 'object' || value === null) return false
  const { version, cluster, nodes } = value as Partial<ClusterFile>
  if (version !== VERSION || typeof cluster !== 'string' || typeof nodes !== 'object') return false
  return Object.values(nodes).every(
    ({ address, data, log, pid }: Partial<LocalNode>) =>
      typeof address === 'string' &&
      typeof data === 'string' &&
      typeof log === 'string' &&
      typeof pid === 'number',
  )
}

function damaged(path: string, cause: unknown): CliError {
  return new CliError('FAILED', `${path} is not what lab up writes: remove it, then run lab up again`, {
    cause,
  })
}

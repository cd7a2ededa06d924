/** Which cluster a command talks to, and the options that say so. */
import { Clerk, type ClerkOptions } from '@lab/kvraft/clerk'
import { RaftClient } from '@lab/raft'
import { Option, type Command } from 'commander'
import type { Io } from './io.ts'
import { findLabFolder, readClusterFile } from './local/cluster-file.ts'
import { parseDuration, splitList, usage } from './parse.ts'
import { addTlsOptions, openTls, readClientToken, tlsConfigOf, type TlsFlags } from './security.ts'
import { allTransports } from './transports.ts'

export interface ClientFlags extends TlsFlags {
  readonly servers?: string
  readonly clusterId?: string
  readonly tokenFile?: string
  readonly timeout: number
}

const TIMEOUT_MS = 10_000

export function addClientOptions(command: Command): Command {
  return addTlsOptions(command)
    .addOption(
      new Option('--servers <list>', 'addresses, with commas between; else the cluster of lab up').env(
        'LAB_SERVERS',
      ),
    )
    .addOption(new Option('--cluster-id <name>', 'refuse servers of any other cluster').env('LAB_CLUSTER_ID'))
    .addOption(new Option('--token-file <file>', 'holds the token of the cluster; or LAB_TOKEN'))
    .addOption(
      new Option('--timeout <time>', 'how long to go on trying: 500ms, 5s, 2m')
        .env('LAB_TIMEOUT')
        .argParser(parseDuration)
        .default(TIMEOUT_MS, '10s'),
    )
}

export interface Target {
  readonly servers: string[]
  readonly clusterId: string
}

const DEFAULT_CLUSTER_ID = 'lab'

/** Flag or environment, else the nearest `.lab/cluster.json`. @throws {CliError} `USAGE` when there is neither */
export function findCluster({ servers, clusterId }: ClientFlags, from: string): Target {
  if (servers !== undefined)
    return { servers: splitList(servers), clusterId: clusterId ?? DEFAULT_CLUSTER_ID }
  const folder = findLabFolder(from)
  if (folder === null)
    throw usage(
      'no cluster named: give --servers host:port,… (or LAB_SERVERS), or start one here with lab up',
    )
  const { cluster, nodes } = readClusterFile(folder)
  return { servers: Object.values(nodes).map(({ address }) => address), clusterId: clusterId ?? cluster }
}

/** @throws {RaftError} `UNAVAILABLE` when none of the servers answers */
export function connectClerk(flags: ClientFlags, io: Io): Promise<Clerk> {
  return Clerk.connect(clientOptions(flags, io, 'client'))
}

/** For what all Raft clusters have in common. @throws {RaftError} `UNAVAILABLE` when none of the servers answers */
export function connectClient(
  flags: ClientFlags,
  io: Io,
  role: 'client' | 'admin' = 'client',
): Promise<RaftClient> {
  return RaftClient.connect({ ...clientOptions(flags, io, role), role })
}

function clientOptions(flags: ClientFlags, { env, cwd }: Io, role: 'client' | 'admin'): ClerkOptions {
  const token = readClientToken(flags.tokenFile, env, role)
  const tls = tlsConfigOf(flags)
  const transports = allTransports(tls === undefined ? undefined : openTls(tls))
  const { timeout } = flags
  return {
    ...findCluster(flags, cwd),
    ...{ timeout, connectTimeout: timeout, transports },
    ...(token === undefined ? {} : { token }),
  }
}

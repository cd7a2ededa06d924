/** TLS and tokens, as flags and environment name them: the same for servers and for commands that talk to them. */
import { readFileSync } from 'node:fs'
import { toError, type RoleTokens, type RpcRole } from '@lab/rpc'
import { TlsKeys, readTlsFiles, type CertificatesOf, type TlsPaths } from '@lab/rpc/tls'
import { Option, type Command } from 'commander'
import type { Io } from './io.ts'
import { usage } from './parse.ts'

export interface TlsFlags {
  readonly tlsCa?: string
  readonly tlsCert?: string
  readonly tlsKey?: string
  readonly tlsServerName?: string
}

export function addTlsOptions(command: Command): Command {
  return command
    .addOption(new Option('--tls-ca <file>', 'authorities whose certificates count, PEM').env('LAB_TLS_CA'))
    .addOption(new Option('--tls-cert <file>', 'the certificate to show, PEM').env('LAB_TLS_CERT'))
    .addOption(new Option('--tls-key <file>', 'its private key, PEM').env('LAB_TLS_KEY'))
    .addOption(
      new Option(
        '--tls-server-name <name>',
        "the name in servers' certificates, when it is not the host of the address",
      ).env('LAB_TLS_SERVER_NAME'),
    )
}

/** What TLS is made of, before the files are read. */
export interface TlsConfig extends TlsPaths {
  /** Who needs a certificate: see `TlsOptions.clientCertificates`. */
  readonly clients?: CertificatesOf
  readonly serverName?: string
}

/** Undefined when nothing is said: then `tls://` is dialled with the authorities that Node trusts. */
export function tlsConfigOf({ tlsCa, tlsCert, tlsKey, tlsServerName }: TlsFlags): TlsConfig | undefined {
  const config = {
    ...(tlsCa === undefined ? {} : { ca: tlsCa }),
    ...(tlsCert === undefined ? {} : { cert: tlsCert }),
    ...(tlsKey === undefined ? {} : { key: tlsKey }),
    ...(tlsServerName === undefined ? {} : { serverName: tlsServerName }),
  }
  return Object.keys(config).length === 0 ? undefined : config
}

/** @throws {RpcError} `BAD_REQUEST` on files that cannot be read */
export function openTls({ clients, serverName, ...paths }: TlsConfig): TlsKeys {
  return new TlsKeys({
    ...readTlsFiles(paths),
    ...(clients === undefined ? {} : { clientCertificates: clients }),
    ...(serverName === undefined ? {} : { serverName }),
  })
}

const VARIABLES = { client: 'LAB_TOKEN', peer: 'LAB_PEER_TOKEN', admin: 'LAB_ADMIN_TOKEN' } as const

/** Files of tokens, by role: the first line is what is shown, every line opens the door. */
export type TokenFiles = Readonly<Partial<Record<RpcRole, string>>>

/**
 * What opens a server's door: from files, else from `LAB_TOKEN`, `LAB_PEER_TOKEN`, `LAB_ADMIN_TOKEN`. The client's alone is everybody's;
 * as soon as another role has one of its own, each role needs one.
 */
export function readServerTokens(files: TokenFiles, env: Io['env']): string | RoleTokens | undefined {
  const roles = Object.keys(VARIABLES) as RpcRole[]
  const found = roles.map((role) => [role, readTokens(files[role], env[VARIABLES[role]])] as const)
  const given = found.filter(([, tokens]) => tokens.length > 0)
  const [only] = given
  if (only === undefined) return undefined
  if (given.length > 1 || only[0] !== 'client') return Object.fromEntries(given)
  return Object.fromEntries(roles.map((role) => [role, only[1]]))
}

/** What a command shows: that of its role first, else the other, which will do for less. */
export function readClientToken(
  file: string | undefined,
  env: Io['env'],
  role: 'client' | 'admin',
): string | undefined {
  const client = env[VARIABLES.client]
  const admin = env[VARIABLES.admin]
  return readTokens(file, role === 'admin' ? (admin ?? client) : (client ?? admin))[0]
}

/** Never a flag: other users of the machine can read those. */
function readTokens(file: string | undefined, variable: string | undefined): readonly string[] {
  const text = file === undefined ? (variable ?? '') : readTokenFile(file)
  const tokens = text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '')
  if (file !== undefined && tokens.length === 0) throw usage(`the token file ${file} is empty`)
  return tokens
}

function readTokenFile(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch (cause) {
    throw usage(`the token file: ${toError(cause).message}`, { cause })
  }
}

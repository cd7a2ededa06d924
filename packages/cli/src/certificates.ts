/** Certificates in a folder: the authority's stand beside those that it issues, each pair named for whom it is. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { toError } from '@lab/rpc'
import type { KeyPair } from '@lab/rpc/tls'
import { CliError } from './errors.ts'

export const AUTHORITY = 'ca'

/** Where this machine alone reaches a server. */
export const LOCAL_HOSTS: readonly string[] = ['localhost', '127.0.0.1', '::1']

/** The files of a pair. */
export interface PairPaths {
  readonly cert: string
  readonly key: string
}

/** @throws {CliError} when it cannot, or when there is an authority already: what the old one issued would be strangers' */
export function writeKeyPair(folder: string, name: string, pair: KeyPair): PairPaths {
  const cert = join(folder, `${name}.pem`)
  const key = join(folder, `${name}.key`)
  try {
    mkdirSync(folder, { recursive: true })
    const flag = name === AUTHORITY ? 'wx' : 'w'
    writeFileSync(key, pair.key, { mode: 0o600, flag })
    writeFileSync(cert, pair.cert, { flag })
  } catch (cause) {
    throw new CliError('FAILED', toError(cause).message, { cause })
  }
  return { cert, key }
}

/** @throws {CliError} `NOT_FOUND` */
export function readAuthority(folder: string): KeyPair {
  try {
    const read = (file: string): string => readFileSync(join(folder, file), 'utf8')
    return { cert: read(`${AUTHORITY}.pem`), key: read(`${AUTHORITY}.key`) }
  } catch (cause) {
    throw new CliError(
      'NOT_FOUND',
      `no authority in ${folder}: make one with lab cert ca (${toError(cause).message})`,
      { cause },
    )
  }
}

import { readFileSync } from 'node:fs'
import { RpcError, toError } from '../errors.ts'
import type { TlsMaterial } from './options.ts'

/** Where the material lies. */
export interface TlsPaths {
  readonly cert?: string
  readonly key?: string
  readonly ca?: string
}

/** @throws {RpcError} `BAD_REQUEST` with the path that cannot be read */
export function readTlsFiles({ cert, key, ca }: TlsPaths): TlsMaterial {
  return {
    ...(cert === undefined ? {} : { cert: read(cert) }),
    ...(key === undefined ? {} : { key: read(key) }),
    ...(ca === undefined ? {} : { ca: read(ca) }),
  }
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (cause) {
    throw new RpcError('BAD_REQUEST', `a file of TLS: ${toError(cause).message}`, { cause })
  }
}

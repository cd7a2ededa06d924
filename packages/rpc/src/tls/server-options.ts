import type { TlsOptions as NodeTlsOptions } from 'node:tls'
import { RpcError, toError } from '../errors.ts'
import { createSecureContext } from 'node:tls'
import type { Address } from '../transport.ts'
import type { TlsKeys } from './options.ts'

/** For a server of `node:tls` or `node:https`. @throws {RpcError} `BAD_REQUEST` without certificate and key, or with such as do not fit */
export function serverOptions(tls: TlsKeys, at: Address): NodeTlsOptions {
  if (!tls.canServe)
    throw new RpcError('BAD_REQUEST', `${at} needs a certificate and its key: tls: { cert, key }`)
  try {
    createSecureContext(tls.context)
  } catch (cause) {
    throw new RpcError('BAD_REQUEST', `certificate and key for ${at}: ${toError(cause).message}`, { cause })
  }
  return {
    ...tls.context,
    requestCert: tls.clientCertificates !== 'none',
    // Who may come without one, or with one that proves nothing, is judged in the handshake, which can say why.
    rejectUnauthorized: tls.clientCertificates === 'all',
  }
}

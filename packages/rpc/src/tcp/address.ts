/** Addresses of sockets: `tcp://host:port`, or `tls:` when encrypted; IPv6 hosts in brackets. */
import { parseAddress, type ParsedAddress } from '../address.ts'
import { RpcError } from '../errors.ts'
import type { Address } from '../transport.ts'

export interface Place extends ParsedAddress {
  readonly port: number
  readonly encrypted: boolean
}

/** @throws {RpcError} `BAD_ADDRESS` */
export function parsePlace(address: Address): Place {
  const parsed = parseAddress(address)
  const { scheme, port, path } = parsed
  if ((scheme !== 'tcp' && scheme !== 'tls') || port === undefined || path !== '')
    throw new RpcError('BAD_ADDRESS', `not a TCP address: ${address}, such as tcp://localhost:7001`)
  return { ...parsed, port, encrypted: scheme === 'tls' }
}

/** Addresses of WebSockets: `ws://host:port/path`, or `wss:` behind TLS. The port may be left out, as everywhere on the web. */
import { parseAddress, type ParsedAddress } from '../address.ts'
import { RpcError, toError } from '../errors.ts'
import type { Address } from '../transport.ts'

export const SCHEMES = ['ws', 'wss'] as const

/** @throws {RpcError} `BAD_ADDRESS` */
export function parseWebSocketAddress(address: Address): ParsedAddress & { readonly port: number } {
  const parsed = parseAddress(address)
  const isPlace = parsed.host !== '' || parsed.port !== undefined
  if ((parsed.scheme !== 'ws' && parsed.scheme !== 'wss') || !isPlace)
    throw new RpcError('BAD_ADDRESS', `not a WebSocket address: ${address}, such as ws://localhost:8080/raft`)
  return { ...parsed, port: parsed.port ?? (parsed.scheme === 'ws' ? 80 : 443) }
}

/** Checks an address to connect to. @throws {RpcError} `BAD_ADDRESS` */
export function assertConnectable(address: Address): void {
  const { host, port } = parseWebSocketAddress(address)
  if (host === '' || port === 0)
    throw new RpcError('BAD_ADDRESS', `${address} names no host and port to connect to`)
}

/** Nobody let us in at `to`. */
export function unreachable(to: Address, cause: unknown): RpcError {
  const error = toError(cause)
  // Node gives one error per address tried, without a message of its own.
  const why = error.message === '' && 'code' in error ? String(error.code) : error.message
  return new RpcError('UNREACHABLE', `nobody answers at ${to}: ${why}`, { cause })
}

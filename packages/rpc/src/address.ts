/** Addresses taken apart: `scheme://host:port/path`, the host of IPv6 in brackets. Shared by all transports. */
import { RpcError } from './errors.ts'
import type { Address, Transport } from './transport.ts'

export interface ParsedAddress {
  /** Without `://`. */
  readonly scheme: string
  /** Without brackets; '' means every interface when listening. */
  readonly host: string
  /** 0 to 65535; 0 means any free one when listening, undefined none given. */
  readonly port: number | undefined
  /** With its leading slash, or ''. */
  readonly path: string
}

const ADDRESS =
  /^([a-z][a-z0-9+.-]*):\/\/(\[[0-9a-f:.]+(?:%[\w.-]+)?\]|[^\s/:?#@[\]]*)(?::(\d{1,5}))?(\/[^\s?#]*)?$/i
const SCHEME = /^[a-z][a-z0-9+.-]*:\/\//i

/** @throws {RpcError} `BAD_ADDRESS` */
export function parseAddress(address: Address): ParsedAddress {
  const match = ADDRESS.exec(address)
  const port = match?.[3] === undefined ? undefined : Number(match[3])
  if (match === null || (port ?? 0) > 65535)
    throw new RpcError(
      'BAD_ADDRESS',
      `not an address: ${JSON.stringify(address)}, such as tcp://localhost:7001`,
    )
  const host = match[2] ?? ''
  return {
    scheme: (match[1] ?? '').toLowerCase(),
    host: host.startsWith('[') ? host.slice(1, -1) : host,
    port,
    path: match[4] ?? '',
  }
}

/** The opposite of {@link parseAddress}. */
export function formatAddress({ scheme, host, port, path }: ParsedAddress): Address {
  const bracketed = host.includes(':') ? `[${host}]` : host
  return `${scheme}://${bracketed}${port === undefined ? '' : `:${String(port)}`}${path}`
}

/** Can only this machine reach a listener at `host`? */
export function isLoopback(host: string): boolean {
  return (
    host === 'localhost' || host.endsWith('.localhost') || host === '::1' || /^127(\.\d{1,3}){3}$/.test(host)
  )
}

/** The transport for an address, and the address with its scheme: one without takes the first transport's. */
export function pickTransport(
  address: Address,
  transports: readonly Transport[],
): { readonly transport: Transport; readonly address: Address } {
  const first = transports[0]
  if (first === undefined)
    throw new RpcError('BAD_REQUEST', 'no transport: give one, such as { transport: tcp() }')
  if (!SCHEME.test(address)) return { transport: first, address: `${first.schemes[0] ?? ''}://${address}` }
  const { scheme } = parseAddress(address)
  const transport = transports.find(({ schemes }) => schemes.includes(scheme))
  if (transport !== undefined) return { transport, address }
  const known = transports.flatMap(({ schemes }) => schemes).join(', ')
  throw new RpcError('BAD_ADDRESS', `no transport for ${address}: the ones given take ${known}`)
}

/** Which addresses a server may listen at, and who may come in. */
import { isLoopback, parseAddress } from './address.ts'
import { RpcError, toError } from './errors.ts'
import {
  HandshakeRefused,
  refusalOf,
  type LocalIdentity,
  type PeerInfo,
  type TokenCheck,
} from './handshake.ts'
import type { Hello, WireError } from './messages.ts'
import type { Address } from './transport.ts'
import { wireError } from './wire-error.ts'

export interface AdmissionOptions {
  /** What others must present: one text for all, texts by role, or a rule. */
  readonly token?: TokenCheck
  /** Web pages that may connect, by origin such as `https://app.example`; `*` means all. Default: none. */
  readonly origins?: readonly string[]
  /** Allows an address that other machines can reach although there is no TLS or no token. */
  readonly insecure?: boolean
  /** Looks at a peer before it is welcomed. What it throws refuses the peer: {@link HandshakeRefused} says why. */
  readonly onHandshake?: (peer: PeerInfo) => void | Promise<void>
}

const PLAIN = ['tcp', 'ws']
const ENCRYPTED = ['tls', 'wss']

/** @throws {RpcError} `BAD_REQUEST` when other machines could reach `address` unprotected */
export function checkListenAddress(address: Address, options: AdmissionOptions): void {
  const { scheme, host } = parseAddress(address)
  const isPlain = PLAIN.includes(scheme)
  if (options.insecure === true || isLoopback(host) || (!isPlain && !ENCRYPTED.includes(scheme))) return
  const lacks = [...(isPlain ? ['TLS'] : []), ...(options.token === undefined ? ['a token'] : [])]
  if (lacks.length > 0)
    throw new RpcError(
      'BAD_REQUEST',
      `other machines could reach ${address} without ${lacks.join(' and ')}: listen at localhost, or say insecure: true`,
    )
}

/** Why a channel with this origin may not come in, or null. Programs other than browsers send none. */
export function originRefusal(origin: string | undefined, options: AdmissionOptions): WireError | null {
  const { origins = [] } = options
  if (origin === undefined || origins.includes(origin) || origins.includes('*')) return null
  return wireError('UNAUTHORISED', `it does not serve pages of ${origin}: list it under origins`)
}

/** Why a peer may not come in, or null. */
export async function admit(
  hello: Hello,
  peer: PeerInfo,
  local: LocalIdentity,
  options: AdmissionOptions,
): Promise<WireError | null> {
  try {
    const refusal = refusalOf(hello, peer, local, options.token)
    if (refusal === null) await options.onHandshake?.(peer)
    return refusal
  } catch (thrown) {
    const { message } = toError(thrown)
    return wireError('REFUSED', message, 'no', thrown instanceof HandshakeRefused ? thrown.code : '')
  }
}

/** Who talks to whom: what each end says of itself before anything else, and the reasons to refuse. */
import { RpcError } from './errors.ts'
import type { Hello, RpcRole, WireError, Welcome } from './messages.ts'
import { PROTOCOL_VERSION } from './protocol.ts'
import type { Certificate } from './transport.ts'
import { wireError } from './wire-error.ts'

/** What this end says of itself. */
export interface LocalIdentity {
  /** '' talks to any cluster; two different names refuse each other. */
  readonly clusterId: string
  /** '' for a client. */
  readonly nodeId: string
  /** Drawn at random for each data folder: another one under a known node id means a wiped disk. */
  readonly incarnation: string
  readonly role: RpcRole
  /** What the server asks for, if it does. Never in an address. */
  readonly token?: string
}

/** Who is at the other end, as it says. Without tokens anybody may say anything. */
export interface PeerInfo {
  readonly role: RpcRole
  readonly clusterId: string
  /** '' for clients. */
  readonly nodeId: string
  readonly incarnation: string
  readonly remoteAddress: string
  /** The same at both ends; for logs and traces. */
  readonly connectionId: string
  /** What it has proven; undefined when it was not asked for a certificate. */
  readonly certificate?: Certificate | undefined
}

/** Thrown by `onHandshake` to refuse a peer; it learns `code` as the `remoteCode` of its error. */
export class HandshakeRefused extends Error {
  override readonly name = 'HandshakeRefused'
  /** Stable, such as `WIPED`. */
  readonly code: string
  constructor(code: string, message: string) {
    super(message)
    this.code = code
  }
}

/** What each role must show; of several tokens any will do, so that they can be changed one after the other. A role without one is refused; an admin's will do for a client. */
export type RoleTokens = Readonly<Partial<Record<RpcRole, string | readonly string[]>>>

/** Who may come in: one token for all roles, tokens by role, or a rule. */
export type TokenCheck = string | RoleTokens | ((token: string, role: RpcRole, peer: PeerInfo) => boolean)

export function identityWith(given: Partial<LocalIdentity> | undefined, role: RpcRole): LocalIdentity {
  return { clusterId: '', nodeId: '', incarnation: '', role, ...given }
}

export function helloOf(identity: LocalIdentity, messageBytesMax: number): Hello {
  const { role, clusterId, nodeId, incarnation, token = '' } = identity
  return { version: PROTOCOL_VERSION, role, clusterId, nodeId, incarnation, token, messageBytesMax }
}

/** Why a server refuses this hello, or null. */
export function refusalOf(
  hello: Hello,
  peer: PeerInfo,
  local: LocalIdentity,
  token: TokenCheck | undefined,
): WireError | null {
  if (hello.version !== PROTOCOL_VERSION)
    return wireError(
      'REFUSED',
      `it speaks protocol version ${String(PROTOCOL_VERSION)}, not ${String(hello.version)}`,
      'no',
      'WRONG_VERSION',
    )
  if (token !== undefined && !isTokenRight(hello, peer, token))
    return wireError(
      'UNAUTHORISED',
      hello.token === '' ? 'it asks for a token' : `it does not take this token from a ${hello.role}`,
    )
  if (hello.role === 'peer') {
    const problem = misnamed(peer.certificate, hello.nodeId)
    if (problem !== null) return wireError('UNAUTHORISED', problem, 'no', 'WRONG_CERTIFICATE')
  }
  if (areDifferent(hello.clusterId, local.clusterId))
    return wireError(
      'REFUSED',
      `it is of cluster ${local.clusterId}, not ${hello.clusterId}`,
      'no',
      'WRONG_CLUSTER',
    )
  return null
}

/** Peers are whom their certificates name: why this one is not, or null. */
function misnamed(certificate: Certificate | undefined, nodeId: string): string | null {
  if (certificate === undefined || certificate.names.includes(nodeId)) return null
  const { names, problem } = certificate
  return `a peer needs a certificate that names it, ${nodeId}: ${problem ?? `this one names ${names.join(', ')}`}`
}

/** @throws {RpcError} `REFUSED`, `UNAUTHORISED` when the server that answered is not one that `local` may talk to */
export function checkWelcome(
  welcome: Welcome,
  local: LocalIdentity,
  certificate: Certificate | undefined,
): void {
  if (welcome.version !== PROTOCOL_VERSION)
    throw new RpcError('REFUSED', `the server speaks protocol version ${String(welcome.version)}`, {
      remoteCode: 'WRONG_VERSION',
    })
  if (areDifferent(welcome.clusterId, local.clusterId))
    throw new RpcError('REFUSED', `the server is of cluster ${welcome.clusterId}, not ${local.clusterId}`, {
      remoteCode: 'WRONG_CLUSTER',
    })
  // A client knows servers by the host of their address alone; a peer is somebody, and must be able to prove it.
  const problem = local.role === 'peer' ? misnamed(certificate, welcome.nodeId) : null
  if (problem !== null) throw new RpcError('UNAUTHORISED', problem, { remoteCode: 'WRONG_CERTIFICATE' })
}

/** Will trying again soon not help? */
export function isForGood(error: RpcError): boolean {
  return error.code === 'REFUSED' || error.code === 'UNAUTHORISED'
}

function areDifferent(one: string, other: string): boolean {
  return one !== '' && other !== '' && one !== other
}

function isTokenRight({ token, role }: Hello, peer: PeerInfo, check: TokenCheck): boolean {
  if (typeof check === 'function') return check(token, role, peer)
  // What opens the door for an admin does so for a client; and all are compared, whichever it was.
  const opening = [...tokensOf(check, role), ...(role === 'client' ? tokensOf(check, 'admin') : [])]
  return opening.filter((each) => isSameToken(token, each)).length > 0
}

/** What opens the door for `role`; empty when nothing does. */
export function tokensOf(check: string | RoleTokens, role: RpcRole): readonly string[] {
  const given = typeof check === 'string' ? check : (check[role] ?? [])
  return typeof given === 'string' ? [given] : given
}

const encoder = new TextEncoder()

/** Compares in a time that says nothing about where two tokens differ; only about the length of the one presented. */
export function isSameToken(presented: string, expected: string): boolean {
  const a = encoder.encode(presented)
  const b = encoder.encode(expected)
  let difference = a.length ^ b.length
  for (let i = 0; i < a.length; i++) difference |= (a[i] as number) ^ (b[i % Math.max(b.length, 1)] ?? 0)
  return difference === 0
}

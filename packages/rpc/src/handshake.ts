/** Who talks to whom: what each end says of itself before anything else, and the reasons to refuse. */
import { RpcError } from './errors.ts'
import type { Hello, RpcRole, WireError, Welcome } from './messages.ts'
import { PROTOCOL_VERSION } from './protocol.ts'
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

/** Who may come in: one token for all, or a rule. */
export type TokenCheck = string | ((token: string, role: RpcRole) => boolean)

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
  if (token !== undefined && !isTokenRight(hello, token))
    return wireError(
      'UNAUTHORISED',
      hello.token === '' ? 'it asks for a token' : 'it does not take this token',
    )
  if (areDifferent(hello.clusterId, local.clusterId))
    return wireError(
      'REFUSED',
      `it is of cluster ${local.clusterId}, not ${hello.clusterId}`,
      'no',
      'WRONG_CLUSTER',
    )
  return null
}

/** @throws {RpcError} `REFUSED` when the server that answered is not one that `local` may talk to */
export function checkWelcome(welcome: Welcome, local: LocalIdentity): void {
  if (welcome.version !== PROTOCOL_VERSION)
    throw new RpcError('REFUSED', `the server speaks protocol version ${String(welcome.version)}`, {
      remoteCode: 'WRONG_VERSION',
    })
  if (areDifferent(welcome.clusterId, local.clusterId))
    throw new RpcError('REFUSED', `the server is of cluster ${welcome.clusterId}, not ${local.clusterId}`, {
      remoteCode: 'WRONG_CLUSTER',
    })
}

/** Will trying again soon not help? */
export function isForGood(error: RpcError): boolean {
  return error.code === 'REFUSED' || error.code === 'UNAUTHORISED'
}

function areDifferent(one: string, other: string): boolean {
  return one !== '' && other !== '' && one !== other
}

function isTokenRight(hello: Hello, check: TokenCheck): boolean {
  return typeof check === 'string' ? isSameToken(hello.token, check) : check(hello.token, hello.role)
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

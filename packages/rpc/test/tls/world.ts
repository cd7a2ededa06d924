/** Certificates of a small world, made when the tests run: nothing in the repository can expire. */
import type { Transport } from '../../src/index.ts'
import { tcp } from '../../src/tcp/index.ts'
import {
  createAuthority,
  issueCertificate,
  type CertificateOptions,
  type TlsOptions,
} from '../../src/tls/index.ts'
import { webSocket } from '../../src/websocket/index.ts'

export const LOCAL = ['localhost', '127.0.0.1', '::1']

export const authority = createAuthority({ name: 'the cluster' })
const stranger = createAuthority({ name: 'the cluster' })

/** Issued by the cluster's authority, trusting it. */
export function certified(name: string, more: Partial<CertificateOptions> = {}): TlsOptions {
  return { ca: authority.cert, ...issueCertificate(authority, { name, hosts: LOCAL, ...more }) }
}

/** By somebody else, under the same name. */
export function forged(name: string): TlsOptions {
  return { ca: authority.cert, ...issueCertificate(stranger, { name, hosts: LOCAL }) }
}

const DAY_MS = 86_400_000

export const expired = (name: string): TlsOptions =>
  certified(name, { from: new Date(Date.now() - 2 * DAY_MS), days: 1 })

export const early = (name: string): TlsOptions => certified(name, { from: new Date(Date.now() + DAY_MS) })

export const schemes = ['tls', 'wss'] as const
export type Scheme = (typeof schemes)[number]

export function transportOf(scheme: Scheme, tls: TlsOptions): Transport {
  return scheme === 'tls' ? tcp({ tls }) : webSocket({ tls })
}

import type { TlsKeys } from '../tls/options.ts'
import type { TcpChannelOptions } from './channel.ts'

/** What all channels of one transport share. */
export interface TcpSettings extends TcpChannelOptions {
  readonly tls: TlsKeys
  /** How long a TLS handshake may take. */
  readonly handshakeMs: number
}

import { ChunkPool } from '../outbox.ts'
import { tlsKeysOf, type TlsKeys, type TlsOptions } from '../tls/options.ts'
import type { Transport } from '../transport.ts'
import { dial } from './dial.ts'
import { listen } from './listen.ts'
import type { TcpSettings } from './settings.ts'

export interface TcpOptions {
  /** For `tls://`. An address without a scheme means that then, and `tcp://` without. */
  readonly tls?: TlsOptions | TlsKeys
  /** Longest message that a channel takes before it is told otherwise, in bytes. Default 64 MiB. */
  readonly messageBytesMax?: number
  /** A peer that began a message must send some 4 KiB of it in each such period. Default 10 000. */
  readonly frameProgressMs?: number
  /** How long a TLS handshake may take. Default 5 000. */
  readonly handshakeMs?: number
}

/**
 * TCP: `tcp://host:port` in the clear, `tls://host:port` encrypted; IPv6 hosts in brackets.
 *
 * @throws {RpcError} `BAD_REQUEST` on `tls` that makes no sense
 * @example
 * const server = await serve({ transport: tcp(), listen: 'localhost:0' }, [implement(Greeter, handlers)])
 */
export function tcp(options: TcpOptions = {}): Transport {
  const settings: TcpSettings = {
    pool: new ChunkPool(),
    messageBytesMax: options.messageBytesMax ?? 64 * 1024 * 1024,
    frameProgressMs: options.frameProgressMs ?? 10_000,
    handshakeMs: options.handshakeMs ?? 5_000,
    tls: tlsKeysOf(options.tls),
  }
  return {
    schemes: options.tls === undefined ? ['tcp', 'tls'] : ['tls', 'tcp'],
    connect: (to, signal) => dial(to, signal, settings),
    listen: (at, accept) => listen(at, accept, settings),
  }
}

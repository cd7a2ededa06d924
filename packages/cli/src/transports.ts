import type { Transport } from '@lab/rpc'
import { tcp } from '@lab/rpc/tcp'
import type { TlsKeys } from '@lab/rpc/tls'
import { webSocket } from '@lab/rpc/websocket'

/** Each address is dialled by the transport of its scheme; one without a scheme means TLS when there are keys for it, else TCP. */
export function allTransports(keys?: TlsKeys): Transport[] {
  const tls = keys === undefined ? {} : { tls: keys }
  return [tcp(tls), webSocket(tls)]
}

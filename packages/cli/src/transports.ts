import type { Transport } from '@lab/rpc'
import { tcp } from '@lab/rpc/tcp'
import { webSocket } from '@lab/rpc/websocket'

/** Each address is dialled by the transport of its scheme; one without a scheme means TCP. */
export function allTransports(): Transport[] {
  return [tcp(), webSocket()]
}

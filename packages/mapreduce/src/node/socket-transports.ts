/** What coordinator and workers reach each other by: the scheme of an address says which. */
import type { Transport } from '@lab/rpc'
import { tcp } from '@lab/rpc/tcp'
import { webSocket } from '@lab/rpc/websocket'

/** TCP first: it is what an address without a scheme means. */
export function socketTransports(): Transport[] {
  return [tcp(), webSocket()]
}

import { tcp } from '@lab/rpc/tcp'
import { webSocket } from '@lab/rpc/websocket'
import { bareTcp } from './bare-tcp.ts'
import { bareWebSocket } from './bare-websocket.ts'
import type { Echo } from './echo.ts'
import { labRpc } from './lab-rpc.ts'

export type VariantName = 'bare-tcp' | 'rpc-tcp' | 'bare-websocket' | 'rpc-websocket'

export const variants: Readonly<Record<VariantName, Echo>> = {
  'bare-tcp': bareTcp,
  'rpc-tcp': labRpc(tcp()),
  'bare-websocket': bareWebSocket,
  'rpc-websocket': labRpc(webSocket()),
}

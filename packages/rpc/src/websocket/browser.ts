/** What a page gets for `@lab/rpc/websocket`: bundlers choose this file by the condition `browser`. */
import { RpcError } from '../errors.ts'
import type { Transport } from '../transport.ts'
import { SCHEMES } from './address.ts'
import { settingsOf, type WebSocketOptions } from './options.ts'
import { connectPage } from './page.ts'

export type { HttpServer, WebSocketOptions } from './options.ts'

/** Channels over the page's WebSockets, many messages to a frame. A page cannot listen. */
export function webSocket(options: WebSocketOptions = {}): Transport {
  const settings = settingsOf(options)
  return {
    schemes: SCHEMES,
    connect: (to, signal) => connectPage(to, signal, settings),
    listen: async () => {
      throw new RpcError('BAD_REQUEST', 'a browser cannot listen for WebSockets')
    },
  }
}

/** The WebSocket transport of Node, Deno and Bun. */
import type { Transport } from '../transport.ts'
import { SCHEMES } from './address.ts'
import { connectWs } from './connect.ts'
import { listen } from './listen.ts'
import { settingsOf, type WebSocketOptions } from './options.ts'
import { connectPage } from './page.ts'

/**
 * Channels over WebSockets, many messages to a frame, uncompressed. Listens on a port of its own or, with `server`, on
 * the app's HTTP server at `path`.
 *
 * Node needs the package `ws` (an optional peer dependency), loaded when first used.
 */
export function webSocket(options: WebSocketOptions = {}): Transport {
  const settings = settingsOf(options)
  return {
    schemes: SCHEMES,
    // Node's own WebSocket takes no private certificate authority; `ws` does, so that Node always uses it.
    connect: (to, signal) =>
      'Deno' in globalThis || 'Bun' in globalThis
        ? connectPage(to, signal, settings)
        : connectWs(to, signal, settings),
    listen: (at, accept) => listen(at, accept, settings),
  }
}

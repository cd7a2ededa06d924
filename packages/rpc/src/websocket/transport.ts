/** The WebSocket transport of Node, Deno and Bun. */
import { tlsKeysOf } from '../tls/options.ts'
import type { Transport } from '../transport.ts'
import { SCHEMES } from './address.ts'
import { connectWs } from './connect.ts'
import type { NodeSettings } from './node-settings.ts'
import { settingsOf, type WebSocketOptions } from './options.ts'
import { connectPage } from './page.ts'

/**
 * Channels over WebSockets, many messages to a frame, uncompressed: `ws://` in the clear, `wss://` encrypted. Listens on a port of
 * its own or, with `server`, on the app's HTTP server at `path`.
 *
 * Node needs the package `ws` (an optional peer dependency), loaded when first used.
 */
export function webSocket(options: WebSocketOptions = {}): Transport {
  const settings: NodeSettings = { ...settingsOf(options), tls: tlsKeysOf(options.tls) }
  return {
    schemes: options.tls === undefined ? SCHEMES : [...SCHEMES].reverse(),
    // Node's own WebSocket takes no private certificate authority; `ws` does, so that Node always uses it.
    connect: (to, signal) =>
      'Deno' in globalThis || 'Bun' in globalThis
        ? connectPage(to, signal, settings)
        : connectWs(to, signal, settings),
    // Node's HTTP server takes longer to load than all else here, and a client needs none.
    listen: async (at, accept) => (await import('./listen.ts')).listen(at, accept, settings),
  }
}

/** Opens WebSockets with the global one, of browsers, Deno and Bun. */
import { RpcError } from '../errors.ts'
import type { Address, Channel } from '../transport.ts'
import { assertConnectable, unreachable } from './address.ts'
import { WebSocketChannel } from './channel.ts'
import type { Settings } from './options.ts'
import { PageSocket, type PageWebSocket } from './page-socket.ts'

type PageWebSocketConstructor = new (url: string) => PageWebSocket

export async function connectPage(to: Address, signal: AbortSignal, settings: Settings): Promise<Channel> {
  assertConnectable(to)
  const { WebSocket } = globalThis as unknown as { readonly WebSocket?: PageWebSocketConstructor }
  if (WebSocket === undefined) throw new RpcError('BAD_REQUEST', 'this platform has no WebSocket')
  if (signal.aborted) throw unreachable(to, signal.reason)
  const socket = new WebSocket(to)
  socket.binaryType = 'arraybuffer'
  return new Promise((resolve, reject) => {
    const fail = (cause: unknown): void => {
      signal.removeEventListener('abort', onAbort)
      reject(unreachable(to, cause))
    }
    const onAbort = (): void => {
      socket.onclose = null
      fail(signal.reason)
      socket.close()
    }
    signal.addEventListener('abort', onAbort, { once: true })
    // A page is not told why, lest it explore its user's network.
    socket.onclose = ({ code }) => fail(new Error(`the WebSocket closed with code ${String(code)}`))
    socket.onerror = () => {} // a close follows it
    socket.onopen = () => {
      signal.removeEventListener('abort', onAbort)
      resolve(new WebSocketChannel(new PageSocket(socket), { remoteAddress: to }, settings))
    }
  })
}

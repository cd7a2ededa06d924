/** Opens WebSockets with the package `ws`. Node only. */
import type { Address, Channel } from '../transport.ts'
import { assertConnectable, unreachable } from './address.ts'
import { FRAME_BYTES_MAX, WebSocketChannel } from './channel.ts'
import type { Settings } from './options.ts'
import { loadWs, WsSocket } from './ws-socket.ts'

export async function connectWs(to: Address, signal: AbortSignal, settings: Settings): Promise<Channel> {
  assertConnectable(to)
  const { WebSocket } = await loadWs()
  if (signal.aborted) throw unreachable(to, signal.reason)
  const socket = new WebSocket(to, {
    perMessageDeflate: false,
    maxPayload: FRAME_BYTES_MAX,
    handshakeTimeout: settings.upgradeMs,
  })
  return new Promise((resolve, reject) => {
    const fail = (cause: unknown): void => {
      signal.removeEventListener('abort', onAbort)
      reject(unreachable(to, cause))
    }
    const onAbort = (): void => {
      fail(signal.reason)
      socket.terminate()
    }
    signal.addEventListener('abort', onAbort, { once: true })
    socket.on('error', fail)
    socket.once('open', () => {
      signal.removeEventListener('abort', onAbort)
      socket.off('error', fail)
      resolve(new WebSocketChannel(new WsSocket(socket), { remoteAddress: to }, settings))
    })
  })
}

/** Opens WebSockets with the package `ws`. Node only. */
import { TLSSocket } from 'node:tls'
import { toError } from '../errors.ts'
import { certificateError, certificateOf } from '../tls/certificate.ts'
import type { Address, Certificate, Channel } from '../transport.ts'
import { assertConnectable, unreachable } from './address.ts'
import { FRAME_BYTES_MAX, WebSocketChannel } from './channel.ts'
import type { NodeSettings } from './node-settings.ts'
import { loadWs, WsSocket } from './ws-socket.ts'

export async function connectWs(to: Address, signal: AbortSignal, settings: NodeSettings): Promise<Channel> {
  assertConnectable(to)
  const { WebSocket } = await loadWs()
  const { tls, upgradeMs } = settings
  if (signal.aborted) throw unreachable(to, signal.reason)
  const socket = new WebSocket(to, {
    perMessageDeflate: false,
    maxPayload: FRAME_BYTES_MAX,
    handshakeTimeout: upgradeMs,
    ...(to.startsWith('wss:') ? tls.context : {}),
    ...(tls.serverName === undefined ? {} : { servername: tls.serverName }),
  })
  let certificate: Certificate | undefined
  socket.once('upgrade', ({ socket: below }) => {
    if (below instanceof TLSSocket) certificate = certificateOf(below, 'all')
  })
  return new Promise((resolve, reject) => {
    const fail = (cause: unknown): void => {
      signal.removeEventListener('abort', onAbort)
      reject(certificateError(toError(cause), to) ?? unreachable(to, cause))
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
      resolve(new WebSocketChannel(new WsSocket(socket), { remoteAddress: to, certificate }, settings))
    })
  })
}

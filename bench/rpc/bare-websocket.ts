/** What most programs do with WebSockets: the package `ws`, one message a frame. */
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { WebSocket, WebSocketServer } from 'ws'
import { closedLoop, PAYLOAD, type Echo } from './echo.ts'

export const bareWebSocket: Echo = {
  async serve() {
    const server = new WebSocketServer({ host: '127.0.0.1', port: 0, perMessageDeflate: false })
    server.on('connection', (socket) => socket.on('message', (data: Buffer) => socket.send(data)))
    await once(server, 'listening')
    return `ws://127.0.0.1:${(server.address() as AddressInfo).port}`
  },

  async dial(address) {
    const socket = new WebSocket(address, { perMessageDeflate: false })
    await once(socket, 'open')
    let onReply = (): boolean => false
    socket.on('message', () => {
      if (onReply()) socket.send(PAYLOAD)
    })
    return {
      run: (inFlight, millis) =>
        closedLoop(inFlight, millis, (reply) => {
          onReply = reply
          for (let i = 0; i < inFlight; i++) socket.send(PAYLOAD)
        }),
      close: () => socket.terminate(),
    }
  },
}

import { createConnection, createServer, type AddressInfo, type Socket } from 'node:net'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { WebSocket } from 'ws'
import type { Channel, Listener, Transport } from '../../src/index.ts'
import { webSocket, type WebSocketOptions } from '../../src/websocket/index.ts'

export interface EchoServer {
  readonly transport: Transport
  readonly listener: Listener
  readonly port: number
  /** Channels in the order of their arrival. */
  readonly accepted: Channel[]
}

/** Answers every message with itself. */
export async function echoServer(
  options: WebSocketOptions = {},
  at = 'ws://127.0.0.1:0/echo',
): Promise<EchoServer> {
  const transport = webSocket(options)
  const accepted: Channel[] = []
  const listener = await transport.listen(at, (channel) => {
    accepted.push(channel)
    channel.receive((message) => channel.send(message))
  })
  return { transport, listener, port: Number(new URL(listener.address).port), accepted }
}

export function connect(transport: Transport, to: string): Promise<Channel> {
  return transport.connect(to, AbortSignal.timeout(5000))
}

/** One message there and back. */
export async function roundTrip(channel: Channel, message: Uint8Array): Promise<Uint8Array> {
  return new Promise((resolve) => {
    channel.receive(resolve)
    channel.send(message)
  })
}

/** A client that keeps asking, to show that others do it no harm. */
export async function goodClient({ transport, listener }: EchoServer): Promise<{
  /** Asks `count` times, one after the other. */
  ask(count: number): Promise<void>
  close(): void
}> {
  const channel = await connect(transport, listener.address)
  let onAnswer: (message: Uint8Array) => void = () => undefined
  channel.receive((message) => onAnswer(message))
  let next = 0
  return {
    async ask(count) {
      for (let i = 0; i < count; i++) {
        const question = Uint8Array.of(next++ & 0xff)
        const answer = await new Promise<Uint8Array>((resolve) => {
          onAnswer = resolve
          channel.send(question)
        })
        if (answer[0] !== question[0]) throw new Error('an answer to another question')
      }
    },
    close: () => channel.close(),
  }
}

/** A bare `ws` client, which says what we would not. */
export async function bareWebSocket(address: string, options = {}): Promise<WebSocket> {
  const socket = new WebSocket(address, options)
  await once(socket, 'open')
  return socket
}

/** How the other end closed on a bare client. */
export async function closeOf(socket: WebSocket): Promise<{ code: number; reason: string }> {
  const [code, reason] = (await once(socket, 'close')) as [number, Buffer]
  return { code, reason: reason.toString() }
}

/** A bare TCP connection to a port that expects HTTP. */
export async function bareSocket(port: number): Promise<Socket> {
  const socket = createConnection({ host: '127.0.0.1', port })
  socket.on('error', () => undefined) // resets are what the tests provoke
  await once(socket, 'connect')
  return socket
}

/** A bare TCP connection that has done the upgrade by hand, so that any byte may follow. */
export async function upgradedSocket(port: number, path = '/echo'): Promise<Socket> {
  const socket = await bareSocket(port)
  const key = randomBytes(16).toString('base64')
  socket.write(
    `GET ${path} HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n` +
      `Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ${key}\r\n\r\n`,
  )
  await once(socket, 'data')
  return socket
}

/** Everything that a bare socket gets until its end. */
export async function untilEnd(socket: Socket): Promise<string> {
  const chunks: Buffer[] = []
  socket.on('data', (chunk) => chunks.push(chunk))
  await once(socket, 'close')
  return Buffer.concat(chunks).toString('latin1')
}

/** A port that takes connections and never says a word. */
export async function silentServer(): Promise<{ readonly port: number; close(): void }> {
  const sockets: Socket[] = []
  const server = createServer((socket) => {
    socket.on('error', () => undefined)
    sockets.push(socket)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    port: (server.address() as AddressInfo).port,
    close() {
      server.close()
      for (const socket of sockets) socket.destroy()
    },
  }
}

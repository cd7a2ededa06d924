import { createServer, type Server } from 'node:http'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { afterEach, expect, test } from 'vitest'
import { WebSocketServer } from 'ws'
import { webSocket } from '../../src/websocket/index.ts'
import { bareSocket, bareWebSocket, connect, echoServer, roundTrip, untilEnd } from './harness.ts'

const servers: Server[] = []

afterEach(() => {
  for (const server of servers.splice(0)) {
    server.close()
    server.closeAllConnections()
  }
})

async function appServer(): Promise<{ server: Server; port: number }> {
  const server = createServer((_request, response) => response.end('the app\n'))
  servers.push(server)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return { server, port: (server.address() as AddressInfo).port }
}

test('on the app’s HTTP server a path carries channels and the app goes on answering the rest', async () => {
  const { server, port } = await appServer()
  const { transport, listener } = await echoServer({ server, path: '/raft' }, 'ws://127.0.0.1:0')
  expect(listener.address).toBe(`ws://127.0.0.1:${String(port)}/raft`)
  const channel = await connect(transport, listener.address)
  expect(await roundTrip(channel, Uint8Array.of(1, 2))).toEqual(Uint8Array.of(1, 2))
  expect(await (await fetch(`http://127.0.0.1:${String(port)}/raft`)).text()).toBe('the app\n')
  channel.close()
  await channel.closed
  await listener.close()
})

test('upgrades of other paths are left to the app’s own WebSocket server', async () => {
  const { server, port } = await appServer()
  const { listener } = await echoServer({ server, path: '/raft' }, 'ws://127.0.0.1:0')
  const own = new WebSocketServer({ noServer: true })
  server.on('upgrade', (request, socket, head) => {
    if (request.url !== '/chat') return
    own.handleUpgrade(request, socket, head, (client) =>
      client.on('message', () => client.send('hello from the app')),
    )
  })
  const chat = await bareWebSocket(`ws://127.0.0.1:${String(port)}/chat`)
  chat.send('hello')
  const [data] = (await once(chat, 'message')) as [Buffer]
  expect(data.toString()).toBe('hello from the app')
  chat.terminate()
  await listener.close()
})

test('an upgrade that nobody else listens for is answered with 404 instead of hanging', async () => {
  const { server, port } = await appServer()
  const { listener } = await echoServer({ server, path: '/raft' }, 'ws://127.0.0.1:0')
  const socket = await bareSocket(port)
  socket.write('GET /other HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n')
  expect(await untilEnd(socket)).toMatch(/^HTTP\/1\.1 404 /)
  await listener.close()
})

test('two paths of one server are two listeners; the same path twice is ADDRESS_IN_USE until it is closed', async () => {
  const { server } = await appServer()
  const first = await echoServer({ server, path: '/a' }, 'ws://127.0.0.1:0')
  const second = await echoServer({ server, path: '/b' }, 'ws://127.0.0.1:0')
  for (const { transport, listener } of [first, second]) {
    const channel = await connect(transport, listener.address)
    expect(await roundTrip(channel, Uint8Array.of(7))).toEqual(Uint8Array.of(7))
    channel.close()
    await channel.closed
  }
  await expect(echoServer({ server, path: '/a' }, 'ws://127.0.0.1:0')).rejects.toMatchObject({
    code: 'ADDRESS_IN_USE',
  })
  await first.listener.close()
  const again = await echoServer({ server, path: '/a' }, 'ws://127.0.0.1:0')
  await again.listener.close()
  await second.listener.close()
  expect(server.listenerCount('upgrade')).toBe(0)
  expect(server.listening).toBe(true)
})

test('channels outlive their listener, and its path then answers like any other', async () => {
  const { server } = await appServer()
  const { transport, listener } = await echoServer({ server, path: '/raft' }, 'ws://127.0.0.1:0')
  const channel = await connect(transport, listener.address)
  await listener.close()
  expect(await roundTrip(channel, Uint8Array.of(3))).toEqual(Uint8Array.of(3))
  channel.close()
  await channel.closed
})

test('a server that does not listen yet is refused: nobody could say where it will', async () => {
  const transport = webSocket({ server: createServer(), path: '/raft' })
  await expect(transport.listen('ws://127.0.0.1:8080', () => undefined)).rejects.toMatchObject({
    code: 'BAD_REQUEST',
  })
})

test('the address given stays, for a proxy before the app; only a missing port is filled in', async () => {
  const { server } = await appServer()
  const transport = webSocket({ server, path: '/raft' })
  const listener = await transport.listen('wss://proxy.example:8443', () => undefined)
  expect(listener.address).toBe('wss://proxy.example:8443/raft')
  await listener.close()
})

test.each([
  ['ws://127.0.0.1:0/other', 'disagrees with the option path'],
  ['tcp://127.0.0.1:0', 'is no WebSocket address'],
  ['nonsense', 'is no address'],
])('%s, which %s, is BAD_ADDRESS', async (address) => {
  const transport = webSocket({ path: '/raft' })
  await expect(transport.listen(address, () => undefined)).rejects.toMatchObject({ code: 'BAD_ADDRESS' })
})

test('wss without a certificate or an HTTPS server of the app says what is needed', async () => {
  await expect(webSocket().listen('wss://127.0.0.1:0', () => undefined)).rejects.toThrow(
    /certificate and its key/,
  )
})

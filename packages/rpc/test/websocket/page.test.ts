/** The client of pages, with `ws` in the place of the page's WebSocket: it follows the same standard. */
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { WebSocket, WebSocketServer } from 'ws'
import type { Channel } from '../../src/index.ts'
import { webSocket } from '../../src/websocket/browser.ts'
import { closeOf, connect, echoServer, roundTrip } from './harness.ts'

const scope = globalThis as { WebSocket?: unknown }
const original = scope.WebSocket
let closeAll = (): void => undefined

beforeAll(() => {
  scope.WebSocket = WebSocket
})

afterAll(() => {
  scope.WebSocket = original
})

afterEach(() => closeAll())

async function openPair(): Promise<{ channel: Channel; socket: WebSocket }> {
  const bare = new WebSocketServer({ port: 0, host: '127.0.0.1' })
  await once(bare, 'listening')
  const connection = once(bare, 'connection') as Promise<[WebSocket]>
  const { port } = bare.address() as AddressInfo
  const channel = await connect(webSocket(), `ws://127.0.0.1:${String(port)}/`)
  const [socket] = await connection
  closeAll = () => {
    socket.terminate()
    bare.close()
  }
  return { channel, socket }
}

test('a page talks to our server', async () => {
  const { listener } = await echoServer()
  const channel = await connect(webSocket(), listener.address)
  const message = new Uint8Array(300_000).fill(7)
  expect(Buffer.compare(await roundTrip(channel, message), message)).toBe(0)
  channel.close()
  expect(await channel.closed).toEqual({ error: undefined })
  await listener.close()
})

test('what comes while a page has paused is kept for it, in order', async () => {
  const { channel, socket } = await openPair()
  const received: number[] = []
  channel.receive((message) => received.push(message[0] ?? -1))
  channel.pause()
  for (let i = 0; i < 5; i++) socket.send(Buffer.from([1, 0, 0, 0, i]))
  await new Promise((resolve) => setTimeout(resolve, 30))
  expect(received).toEqual([])
  channel.resume()
  expect(received).toEqual([0, 1, 2, 3, 4])
})

test('a page that pauses too long against a flood ends the channel instead of its memory', async () => {
  const { channel, socket } = await openPair()
  channel.receive(() => undefined)
  channel.pause()
  const frame = Buffer.alloc(1024 * 1024)
  for (let i = 0; i < 65; i++) socket.send(frame)
  expect((await channel.closed).error).toMatchObject({ code: 'SLOW_PEER' })
})

test('drained waits in a page too, though nobody tells it when the buffer empties', async () => {
  const { channel, socket } = await openPair()
  socket.pause()
  for (let i = 0; i < 100; i++) channel.send(new Uint8Array(200_000))
  await new Promise((resolve) => setTimeout(resolve, 20))
  expect(channel.bufferedBytes).toBeGreaterThan(1_000_000)
  socket.resume()
  await channel.drained()
  expect(channel.bufferedBytes).toBeLessThanOrEqual(64 * 1024)
})

test('text for a page is an error, and its close code is one that pages may use', async () => {
  const { channel, socket } = await openPair()
  channel.receive(() => undefined)
  const close = closeOf(socket)
  socket.send('hello')
  expect((await channel.closed).error).toMatchObject({ code: 'PROTOCOL' })
  expect(await close).toMatchObject({ code: 3003 })
})

test('a page cannot listen, and hears UNREACHABLE where nobody does', async () => {
  const transport = webSocket()
  await expect(transport.listen('ws://127.0.0.1:0', () => undefined)).rejects.toMatchObject({
    code: 'BAD_REQUEST',
  })
  await expect(connect(transport, 'ws://127.0.0.1:1/')).rejects.toMatchObject({ code: 'UNREACHABLE' })
})

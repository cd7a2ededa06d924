import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { WebSocketServer, type WebSocket } from 'ws'
import type { Channel } from '../../src/index.ts'
import { closeError, closeReason } from '../../src/websocket/close-codes.ts'
import { webSocket } from '../../src/websocket/index.ts'
import {
  bareWebSocket,
  closeOf,
  connect,
  echoServer,
  roundTrip,
  silentServer,
  type EchoServer,
} from './harness.ts'

/** The other end of a channel, seen from below. */
let bare: WebSocketServer
let address: string

beforeEach(async () => {
  bare = new WebSocketServer({ port: 0, host: '127.0.0.1' })
  await once(bare, 'listening')
  address = `ws://127.0.0.1:${String((bare.address() as AddressInfo).port)}/`
})

afterEach(() => {
  for (const client of bare.clients) client.terminate()
  bare.close()
})

async function openPair(): Promise<{ channel: Channel; socket: WebSocket }> {
  const connection = once(bare, 'connection') as Promise<[WebSocket]>
  const channel = await connect(webSocket(), address)
  const [socket] = await connection
  return { channel, socket }
}

/** The binary frames of `count` bytes in all that arrive at a bare socket. */
function framesOf(socket: WebSocket, count: number): Promise<Buffer[]> {
  const frames: Buffer[] = []
  let bytes = 0
  return new Promise((resolve) => {
    socket.on('message', (frame: Buffer) => {
      frames.push(frame)
      bytes += frame.length
      if (bytes >= count) resolve(frames)
    })
  })
}

test('all messages of one turn leave in one frame, each after its length', async () => {
  const { channel, socket } = await openPair()
  const frames = framesOf(socket, 7 + 4 + 5)
  channel.send(Uint8Array.of(1, 2, 3))
  channel.send(new Uint8Array(0))
  await Promise.resolve()
  channel.send(Uint8Array.of(9))
  expect(await frames).toEqual([Buffer.from([3, 0, 0, 0, 1, 2, 3, 0, 0, 0, 0, 1, 0, 0, 0, 9])])
  channel.close()
})

test('no frame is longer than 64 KiB: a long message goes on in the next', async () => {
  const { channel, socket } = await openPair()
  const frames = framesOf(socket, 4 + 200_000 + 100 * 1004)
  channel.send(new Uint8Array(200_000))
  for (let i = 0; i < 100; i++) channel.send(new Uint8Array(1000))
  const lengths = (await frames).map(({ length }) => length)
  expect(Math.max(...lengths)).toBe(64 * 1024)
  expect(lengths.length).toBeLessThanOrEqual(6)
  channel.close()
})

test('what is sent may be overwritten at once, also while the network is slow', async () => {
  const echo = await echoServer()
  const channel = await connect(echo.transport, echo.listener.address)
  const received: number[] = []
  const done = new Promise<void>((resolve) => {
    channel.receive((message) => {
      expect(new Set(message).size).toBe(1)
      received.push(message[0] ?? -1)
      if (received.length === 500) resolve()
    })
  })
  const message = new Uint8Array(30_000)
  for (let i = 0; i < 500; i++) {
    message.fill(i & 0xff)
    channel.send(message)
    if (i % 10 === 9) await new Promise((resolve) => setImmediate(resolve))
  }
  message.fill(255)
  await done
  expect(received).toEqual(Array.from({ length: 500 }, (_, i) => i & 0xff))
  channel.close()
  await echo.listener.close()
})

test('a peer that does not read makes bufferedBytes grow, and drained wait until it does', async () => {
  const { channel, socket } = await openPair()
  socket.pause()
  const message = new Uint8Array(100_000)
  for (let i = 0; i < 200; i++) channel.send(message)
  await new Promise((resolve) => setTimeout(resolve, 50))
  expect(channel.bufferedBytes).toBeGreaterThan(1_000_000)
  let isDrained = false
  const drained = channel.drained().then(() => (isDrained = true))
  await new Promise((resolve) => setTimeout(resolve, 20))
  expect(isDrained).toBe(false)
  socket.resume()
  await drained
  expect(channel.bufferedBytes).toBeLessThanOrEqual(64 * 1024)
  channel.close()
})

test('close sends what is queued first, and is orderly on both sides', async () => {
  const { channel, socket } = await openPair()
  const frames = framesOf(socket, 300_004)
  const close = closeOf(socket)
  channel.send(new Uint8Array(300_000))
  channel.close()
  channel.send(Uint8Array.of(1)) // too late
  expect(Buffer.concat(await frames).length).toBe(300_004)
  expect(await close).toEqual({ code: 1000, reason: '' })
  expect(await channel.closed).toEqual({ error: undefined })
})

test('close with an error ends the channel at once and tells the other end why', async () => {
  const { channel, socket } = await openPair()
  const close = closeOf(socket)
  const error = new Error('this node is going mad')
  channel.close(error)
  expect(await channel.closed).toEqual({ error })
  expect(await close).toEqual({ code: 1011, reason: 'this node is going mad' })
})

test('a peer that never answers our close is cut off', async () => {
  const { channel, socket } = await openPair()
  socket.pause()
  channel.close()
  expect((await channel.closed).error).toMatchObject({ code: 'CLOSED' })
})

test.each([
  [1000, 'bye', undefined],
  [1001, '', undefined],
  [1011, 'disk full', /disk full/],
  [4321, '', /no reason given/],
])('a close with code %i and reason %j ends the channel with error %s', async (code, reason, message) => {
  const { channel, socket } = await openPair()
  socket.close(code, reason)
  const { error } = await channel.closed
  if (message === undefined) expect(error).toBeUndefined()
  else {
    expect(error).toMatchObject({ code: 'CLOSED' })
    expect(error?.message).toMatch(message)
  }
})

test('a connection that breaks without a closing handshake ends the channel with an error', async () => {
  const { channel, socket } = await openPair()
  socket.terminate()
  expect((await channel.closed).error).toMatchObject({ code: 'CLOSED' })
})

test('messages that a server sends at once upon connection are not lost', async () => {
  bare.on('connection', (socket) => socket.send(Buffer.from([1, 0, 0, 0, 42])))
  const { channel } = await openPair()
  const message = await new Promise<Uint8Array>((resolve) => channel.receive(resolve))
  expect(message).toEqual(Uint8Array.of(42))
  channel.close()
})

test('the Origin of the request stands at the channel; programs send none', async () => {
  const echo: EchoServer = await echoServer()
  const page = await bareWebSocket(echo.listener.address, { origin: 'https://evil.example' })
  const program = await connect(echo.transport, echo.listener.address)
  await roundTrip(program, Uint8Array.of(1))
  expect(echo.accepted.map(({ origin }) => origin)).toEqual(['https://evil.example', undefined])
  page.terminate()
  program.close()
  await echo.listener.close()
})

test('a reason is cut to what a close frame takes, between characters', () => {
  expect(closeReason('short')).toBe('short')
  const cut = closeReason('ä'.repeat(100))
  expect(cut).toBe('ä'.repeat(60))
  expect(closeError('ws://n1', 1005, '')).toBeUndefined()
})

test('connecting gives up when the signal aborts, and says UNREACHABLE where nobody listens', async () => {
  const transport = webSocket()
  const abort = new AbortController()
  const server = await silentServer()
  const pending = transport.connect(`ws://127.0.0.1:${String(server.port)}/`, abort.signal)
  abort.abort(new Error('enough'))
  await expect(pending).rejects.toMatchObject({ code: 'UNREACHABLE', executed: 'no' })
  server.close()
  await expect(connect(transport, 'ws://127.0.0.1:1/')).rejects.toMatchObject({ code: 'UNREACHABLE' })
  await expect(connect(transport, 'tcp://127.0.0.1:1')).rejects.toMatchObject({ code: 'BAD_ADDRESS' })
})

test('a server that accepts connections and never upgrades is given up', async () => {
  const server = await silentServer()
  const transport = webSocket({ upgradeMs: 100 })
  await expect(connect(transport, `ws://127.0.0.1:${String(server.port)}/`)).rejects.toMatchObject({
    code: 'UNREACHABLE',
  })
  server.close()
})

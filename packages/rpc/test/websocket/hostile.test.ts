import { randomBytes } from 'node:crypto'
import type { Socket } from 'node:net'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import {
  bareSocket,
  bareWebSocket,
  closeOf,
  echoServer,
  goodClient,
  untilEnd,
  upgradedSocket,
  type EchoServer,
} from './harness.ts'

/** A binary or other frame of RFC 6455 §5.2 with a mask of zeros, which leaves the payload as it is. */
function frame(opcode: number, payload: Uint8Array, { fin = true, masked = true } = {}): Buffer {
  const head = Buffer.alloc(payload.length < 126 ? 2 : 4)
  head[0] = (fin ? 0x80 : 0) | opcode
  head[1] = (masked ? 0x80 : 0) | Math.min(payload.length, 126)
  if (payload.length >= 126) head.writeUInt16BE(payload.length, 2)
  return Buffer.concat([head, masked ? Buffer.alloc(4) : Buffer.alloc(0), payload])
}

const BINARY = 2
const CONTINUATION = 0
const PING = 9

describe('while a good client works,', () => {
  let echo: EchoServer
  let good: Awaited<ReturnType<typeof goodClient>>

  beforeEach(async () => {
    echo = await echoServer({ upgradeMs: 300, frameProgressMs: 300, messageBytesMax: 1000 })
    good = await goodClient(echo)
  })

  afterEach(async () => {
    await good.ask(20)
    good.close()
    await echo.listener.close()
  })

  /** How the channel that the hostile peer opened, the second, ended here. */
  async function endOfChannel(): Promise<Error | undefined> {
    await expect.poll(() => echo.accepted.length).toBe(2)
    const end = await echo.accepted[1]?.closed
    return end?.error
  }

  test('a connection that says nothing is cut when the upgrade takes too long', async () => {
    const socket = await bareSocket(echo.port)
    await good.ask(20)
    expect(await untilEnd(socket)).toMatch(/^(HTTP\/1\.1 408|$)/)
  })

  test('headers that trickle in for ever are cut as well', async () => {
    const socket = await bareSocket(echo.port)
    socket.write('GET /echo HTTP/1.1\r\n')
    const trickle = setInterval(() => socket.write('X: y\r\n'), 20)
    expect(await untilEnd(socket)).toMatch(/^HTTP\/1\.1 408/)
    clearInterval(trickle)
  })

  test('an ordinary HTTP request is told what this port is', async () => {
    const response = await fetch(`http://127.0.0.1:${String(echo.port)}/echo`)
    expect(response.status).toBe(426)
  })

  test('an upgrade of another path is refused', async () => {
    const socket = await bareSocket(echo.port)
    socket.write('GET /other HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n')
    expect(await untilEnd(socket)).toMatch(/^HTTP\/1\.1 404/)
  })

  test('an upgrade without a key is refused', async () => {
    const socket = await bareSocket(echo.port)
    socket.write('GET /echo HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n')
    expect(await untilEnd(socket)).toMatch(/^HTTP\/1\.1 400/)
  })

  test('random bytes instead of HTTP are refused', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ minLength: 1, maxLength: 2000 }), async (bytes) => {
        const socket = await bareSocket(echo.port)
        socket.end(bytes)
        await untilEnd(socket)
        await good.ask(1)
      }),
      { numRuns: 30 },
    )
  })

  test('random bytes behind the upgrade end that channel only, with an error or none', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ minLength: 1, maxLength: 2000 }), async (bytes) => {
        const before = echo.accepted.length
        const socket = await upgradedSocket(echo.port)
        socket.end(bytes)
        await untilEnd(socket)
        await echo.accepted[before]?.closed
        await good.ask(1)
      }),
      { numRuns: 50 },
    )
  })

  test('a text frame closes the channel with 1003', async () => {
    const socket = await bareWebSocket(echo.listener.address)
    const close = closeOf(socket)
    socket.send('hello')
    expect(await close).toMatchObject({ code: 1003, reason: expect.stringMatching(/only binary/) as string })
    expect(await endOfChannel()).toMatchObject({ code: 'PROTOCOL' })
  })

  test('a frame over 64 KiB closes the channel before its bytes are there', async () => {
    const socket = await upgradedSocket(echo.port)
    const head = Buffer.from([0x82, 0xff, 0, 0, 0, 0, 0, 1, 0, 1, 0, 0, 0, 0])
    socket.write(head) // announces 65 537 bytes and sends none
    expect(await endOfChannel()).toMatchObject({
      code: 'PROTOCOL',
      message: expect.stringMatching(/size/) as string,
    })
    socket.destroy()
  })

  test('fragments that together are over 64 KiB close the channel too', async () => {
    const socket = await upgradedSocket(echo.port)
    const piece = new Uint8Array(40_000)
    socket.write(frame(BINARY, piece, { fin: false }))
    socket.write(frame(CONTINUATION, piece))
    expect(await endOfChannel()).toMatchObject({ code: 'PROTOCOL' })
    socket.destroy()
  })

  test('a message over the limit closes the channel when its length is known', async () => {
    const socket = await bareWebSocket(echo.listener.address)
    const close = closeOf(socket)
    socket.send(Uint8Array.of(0xe9, 3, 0, 0)) // 1001 bytes are to follow
    expect(await close).toMatchObject({ code: 1002, reason: expect.stringMatching(/1001 bytes/) as string })
    expect(await endOfChannel()).toMatchObject({ code: 'PROTOCOL' })
  })

  test('unmasked frames, which only servers send, close the channel', async () => {
    const socket = await upgradedSocket(echo.port)
    socket.write(frame(BINARY, Uint8Array.of(1, 0, 0, 0, 9), { masked: false }))
    expect(await endOfChannel()).toMatchObject({ code: 'PROTOCOL' })
    socket.destroy()
  })

  test('a message that begins and does not go on is cut by the progress timeout', async () => {
    const socket = await bareWebSocket(echo.listener.address)
    socket.send(Uint8Array.of(100, 0, 0, 0, 1, 2, 3))
    expect(await endOfChannel()).toMatchObject({ code: 'TIMEOUT' })
    socket.terminate()
  })

  test('a flood of empty frames and pings is only a waste of the flooder’s time', async () => {
    const socket = await upgradedSocket(echo.port)
    socket.resume()
    const flood = Buffer.concat(
      Array.from({ length: 1000 }, (_, i) => frame(i % 2 === 0 ? BINARY : PING, new Uint8Array(0))),
    )
    for (let i = 0; i < 20; i++) await write(socket, flood)
    await good.ask(20)
    socket.destroy()
  })

  test('compression is not negotiated, however often it is offered', async () => {
    const socket = await bareWebSocket(echo.listener.address, { perMessageDeflate: true })
    expect(socket.extensions).toBe('')
    socket.terminate()
  })

  test('a peer that floods and never reads the answers can be cut off at once', async () => {
    const socket = await upgradedSocket(echo.port)
    socket.pause()
    const message = Buffer.concat([Uint8Array.of(0xe8, 3, 0, 0), randomBytes(1000)])
    const flood = Buffer.concat(Array.from({ length: 500 }, () => frame(BINARY, message)))
    for (let i = 0; i < 100 && !socket.writableNeedDrain; i++) socket.write(flood)
    await good.ask(20)
    const channel = echo.accepted[1]
    channel?.close(new Error('too slow')) // what the server above does at its limit
    expect((await channel?.closed)?.error?.message).toBe('too slow')
    socket.destroy()
  })
})

function write(socket: Socket, bytes: Uint8Array): Promise<void> {
  return new Promise((resolve) => socket.write(bytes, () => resolve()))
}

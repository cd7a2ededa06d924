import type { Socket } from 'node:net'
import { describe, expect, test } from 'vitest'
import { bare, client, framed, hello, start, untilClosed } from './plain.ts'

describe('hostile bytes, while a good client works', () => {
  const cases: Record<string, (socket: Socket) => void> = {
    'text of another protocol': (socket) => socket.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n'),
    'a length of 4 GiB': (socket) => socket.write(Uint8Array.of(255, 255, 255, 255)),
    'a hello larger than the limit': (socket) => socket.write(framed(new Uint8Array(20_000))),
    'an empty message': (socket) => socket.write(framed(new Uint8Array(0))),
    'a request before the handshake': (socket) => socket.write(framed(Uint8Array.of(4, 1, 0, 0, 0, 0, 0))),
    'rubbish after the handshake': (socket) =>
      socket.write(Buffer.concat([hello(), framed(Uint8Array.of(99, 1, 2))])),
    'a reply from a client': (socket) => socket.write(Buffer.concat([hello(), framed(Uint8Array.of(5, 1))])),
    'a message past the limit after the handshake': (socket) =>
      setTimeout(() => socket.write(Uint8Array.of(0, 0, 0, 1)), 50) && socket.write(hello()),
    'a hello again and again': (socket) => socket.write(Buffer.concat(Array.from({ length: 2000 }, hello))),
  }
  test.each(Object.keys(cases))('%s ends that connection only', async (name) => {
    const server = await start()
    const good = await client(server)
    const socket = await bare(server)
    cases[name]?.(socket)
    for (let i = 0; i < 50; i++) expect(await good.echo(Uint8Array.of(i))).toEqual(Uint8Array.of(i))
    await untilClosed(socket)
    await expect.poll(() => server.connections).toBe(1)
    expect(await good.echo(Uint8Array.of(7))).toEqual(Uint8Array.of(7))
  })

  test('random bytes at the port, a hundred connections of them, harm nobody', async () => {
    const server = await start()
    const good = await client(server)
    for (let round = 0; round < 100; round++) {
      const socket = await bare(server)
      const bytes = Uint8Array.from(
        { length: 200 },
        (_, i) => (Math.imul(i + 1, 2654435761 * (round + 1)) >>> 13) & 255,
      )
      socket.write(round % 2 === 0 ? bytes : Buffer.concat([hello(), framed(bytes)]))
      socket.end()
    }
    expect(await good.echo(Uint8Array.of(1))).toEqual(Uint8Array.of(1))
    await expect.poll(() => server.connections).toBe(1)
  })
})

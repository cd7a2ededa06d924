import { once } from 'node:events'
import { describe, expect, test } from 'vitest'
import { ByteWriter, RpcError, connect, openLink } from '../../src/index.ts'
import { tcp } from '../../src/tcp/index.ts'
import { closing, failure } from './harness.ts'
import { Plain, bare, client, framed, hello, start, untilClosed } from './plain.ts'

describe('limits', () => {
  test('who does not shake hands in time is dropped', async () => {
    const server = await start({ limits: { handshakeMs: 60 } })
    const socket = await bare(server)
    await untilClosed(socket)
    expect(server.metrics().refused).toBe(1)
  })

  test('who begins a message and does not go on is dropped', async () => {
    const server = await start({ transport: tcp({ frameProgressMs: 40 }) })
    const socket = await bare(server)
    socket.write(hello().subarray(0, 9))
    const drip = setInterval(() => socket.write(Uint8Array.of(0)), 10)
    await untilClosed(socket)
    clearInterval(drip)
  })

  test('a silent connection is ended, one with keep-alive is not', async () => {
    const server = await start({ limits: { idleMs: 80 } })
    const kept = await client(server, { limits: { keepAliveMs: 20 } })
    const socket = await bare(server)
    socket.write(hello())
    expect(await untilClosed(socket)).toContain('nothing was heard')
    expect(await kept.echo(Uint8Array.of(1))).toEqual(Uint8Array.of(1))
    expect(server.connections).toBe(1)
  })

  test('a listener holds so many channels and refuses more with BUSY', async () => {
    const server = await start({ limits: { channelsMax: 2 } })
    const one = await client(server)
    await client(server)
    const error = await failure(connect(Plain, server.address, { transport: tcp(), timeout: 150 }))
    expect(error.code).toBe('UNREACHABLE')
    expect(error.message).toContain('as many connections as it takes')
    one.close()
    await expect.poll(() => server.connections).toBeLessThan(2)
    await client(server)
  })

  test('where it is full, those that say nothing make room for those that shake hands', async () => {
    const server = await start({ limits: { channelsMax: 4 } })
    const good = await client(server)
    const silent: Awaited<ReturnType<typeof bare>>[] = []
    for (let n = 0; n < 20; n++) silent.push(await bare(server))
    const late = await client(server, { timeout: 1000 })
    for (const one of [good, late]) expect(await one.echo(Uint8Array.of(1))).toEqual(Uint8Array.of(1))
    expect(server.metrics()).toMatchObject({ connections: 4, refused: 18 })
    await expect.poll(() => silent.filter((socket) => socket.destroyed).length).toBe(18)
  })

  test('those that were refused and do not leave keep nobody out', async () => {
    const server = await start({ limits: { channelsMax: 4 }, token: 'secret' })
    for (let n = 0; n < 8; n++) {
      const socket = await bare(server)
      socket.pause()
      socket.write(hello())
    }
    await expect.poll(() => server.metrics().refused).toBe(8)
    const good = await client(server, { timeout: 1000, identity: { token: 'secret' } })
    expect(await good.echo(Uint8Array.of(1))).toEqual(Uint8Array.of(1))
  })

  test('too many calls in flight are refused with BUSY, by the client and by the server', async () => {
    const server = await start({ limits: { callsInFlightMax: 3 } })
    const hangers = await client(server)
    const calls = Array.from({ length: 5 }, () => failure(hangers.hang(undefined, { timeout: 100 })))
    const errors = (await Promise.all(calls)).map(({ code, executed }) => `${code} ${executed}`)
    expect(errors.sort()).toEqual([
      'BUSY no',
      'BUSY no',
      'TIMEOUT unknown',
      'TIMEOUT unknown',
      'TIMEOUT unknown',
    ])
    const careful = await client(server, { limits: { callsInFlightMax: 1 } })
    const first = failure(careful.hang(undefined, { timeout: 50 }))
    expect(await failure(careful.hang())).toMatchObject({ code: 'BUSY', executed: 'no' })
    await first
    // A call that has timed out takes no place any more.
    expect(await careful.echo(Uint8Array.of(1))).toEqual(Uint8Array.of(1))
  })

  test('a caller that asks for more than its connection holds is refused with BUSY, at once, and keeps the connection', async () => {
    const server = await start()
    const { transport, stop, go } = stoppable()
    const limits = { callBytesInFlightMax: 1 << 20, outputBytesMax: 1 << 20 }
    const down: string[] = []
    const link = openLink(server.address, {
      transport,
      limits,
      onState: (state) => state === 'down' && down.push(state),
    })
    closing(link)
    await link.ready()
    stop()
    const slow = link.client(Plain)
    // Nobody reads the answers, but it is the requests that fill what waits here.
    const calls = Array.from({ length: 40 }, () => slow.echo(new Uint8Array(100_000)))
    for (const end of await Promise.all(calls.slice(10).map(failure)))
      expect(end).toMatchObject({ code: 'BUSY', executed: 'no' })
    go()
    for (const call of calls.slice(0, 10)) expect(await call).toHaveLength(100_000)
    expect(await slow.echo(new Uint8Array(3 << 20))).toHaveLength(3 << 20)
    expect(down).toEqual([])
  })

  test('a message past the limit fails its call with TOO_LARGE and nothing else', async () => {
    const server = await start({ limits: { messageBytesMax: 10_000 } })
    const sender = await client(server)
    expect(await sender.echo(new Uint8Array(10_000))).toHaveLength(10_000)
    expect(await failure(sender.echo(new Uint8Array(10_001)))).toMatchObject({
      code: 'TOO_LARGE',
      executed: 'no',
    })
    expect(await failure(sender.big(10_001))).toMatchObject({ code: 'TOO_LARGE', executed: 'yes' })
    const modest = await client(server, { limits: { messageBytesMax: 500 } })
    expect(await failure(modest.big(501))).toMatchObject({ code: 'TOO_LARGE', executed: 'yes' })
    expect(await modest.big(500)).toHaveLength(500)
  })

  test('a peer that does not read is dropped with SLOW_PEER on both sides, and memory stays bounded', async () => {
    const outputBytesMax = 1 << 20
    const server = await start({ limits: { outputBytesMax, callsInFlightMax: 100_000 } })
    const good = await client(server)
    const { transport, stop, go } = stoppable()
    const down: string[] = []
    const link = openLink(server.address, {
      transport,
      reconnect: { minMs: 1000 },
      onState: (state, error) => state === 'down' && error !== undefined && down.push(error.code),
    })
    closing(link)
    await link.ready()
    stop()
    const slow = link.client(Plain)
    const replies: Promise<RpcError>[] = []
    let peak = 0
    for (let i = 0; i < 200 && server.metrics().slowPeers === 0; i++) {
      replies.push(
        slow.big(256 * 1024).then(
          () => new RpcError('CLOSED', 'answered'),
          (error: unknown) => error as RpcError,
        ),
      )
      await new Promise((resolve) => setTimeout(resolve, 1))
      peak = Math.max(peak, server.metrics().bufferedBytes)
    }
    await expect.poll(() => server.metrics().slowPeers).toBe(1)
    // What was answered before the drop still arrives; what is asked after it, by a peer that does not know, does not.
    replies.push(failure(slow.big(1)))
    expect(peak).toBeLessThan(outputBytesMax + 2 * 256 * 1024)
    go()
    const errors = await Promise.all(replies)
    expect(errors.some(({ code, executed }) => code === 'SLOW_PEER' && executed === 'unknown')).toBe(true)
    expect(down).toContain('SLOW_PEER')
    expect(await good.echo(Uint8Array.of(1))).toEqual(Uint8Array.of(1))
  })

  test('a call that crosses the goodbye of a closing server is refused, not executed', async () => {
    const server = await start()
    const socket = await bare(server)
    const numberOf = (name: string): number => Plain.named.get(name)?.number ?? 0
    const request = (id: number, name: string): Uint8Array =>
      framed(new ByteWriter().u8(4).varint(id).u32(numberOf(name)).varint(0).finish())
    socket.write(hello())
    await once(socket, 'data')
    socket.write(request(1, 'hang'))
    await expect.poll(() => server.metrics().inFlight).toBe(1)
    const closed = server.close({ drainMs: 300 })
    socket.write(request(2, 'echo'))
    const told = await untilClosed(socket)
    expect(told).toContain(String.fromCharCode(6, 2, 5, 0)) // a failure of call 2: CLOSED, not executed
    expect(told).toContain('the server is closing')
    await closed
    expect(server.metrics().calls).toBe(1)
  })

  test('a stream that nobody reads holds no more than its window', async () => {
    const server = await start()
    const reader = await client(server, { limits: { streamWindowBytes: 100_000 } })
    const items = reader.flood()[Symbol.asyncIterator]()
    await items.next()
    await new Promise((resolve) => setTimeout(resolve, 50))
    expect(server.metrics()).toMatchObject({ bufferedBytes: 0, inFlight: 1, slowPeers: 0 })
    expect(await reader.echo(Uint8Array.of(1))).toEqual(Uint8Array.of(1))
    await items.return?.()
    await expect.poll(() => server.metrics().inFlight).toBe(0)
  })
})

/** TCP whose dialled channels can stop reading. */
function stoppable() {
  const inner = tcp()
  let pause = (): void => undefined
  let resume = (): void => undefined
  const transport: typeof inner = {
    schemes: inner.schemes,
    listen: (at, accept) => inner.listen(at, accept),
    async connect(to, signal) {
      const channel = await inner.connect(to, signal)
      pause = () => {
        channel.pause()
      }
      resume = () => {
        channel.resume()
      }
      return channel
    },
  }
  return {
    transport,
    stop: () => {
      pause()
    },
    go: () => {
      resume()
    },
  }
}

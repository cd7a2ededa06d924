/** Handshake and limits: who is kept out, and what one peer cannot do to the others. */
import { createConnection, type Socket } from 'node:net'
import { once } from 'node:events'
import { afterEach, describe, expect, test } from 'vitest'
import {
  ByteWriter,
  HandshakeRefused,
  RpcError,
  bytesCodec,
  connect,
  implement,
  openLink,
  parseAddress,
  serve,
  service,
  stream,
  unary,
  writeFrame,
  type ConnectOptions,
  type ServeOptions,
  type Server,
} from '../src/index.ts'
import { PROTOCOL_VERSION, writeHello } from '../src/protocol.ts'
import { tcp } from '../src/tcp/index.ts'

const Plain = service('plain', {
  echo: unary<Uint8Array, Uint8Array>({ request: bytesCodec, response: bytesCodec }),
  big: unary<number, Uint8Array>({ response: bytesCodec }),
  hang: unary(),
  flood: stream<undefined, Uint8Array>({ item: bytesCodec }),
})

const opened: { close(): unknown }[] = []
afterEach(async () => {
  for (const one of opened.splice(0).reverse()) await one.close()
})

async function start(options: Partial<ServeOptions> = {}): Promise<Server> {
  const server = await serve({ transport: tcp(), listen: 'localhost:0', ...options }, [
    implement(Plain, {
      echo: (bytes) => bytes,
      big: (size) => new Uint8Array(size),
      hang: () => new Promise(() => undefined),
      *flood() {
        for (;;) yield new Uint8Array(10_000)
      },
    }),
  ])
  opened.push({ close: () => server.close({ drainMs: 20 }) })
  return server
}

async function client(server: Server, options: Partial<ConnectOptions> = {}) {
  const made = await connect(Plain, server.address, { transport: tcp(), ...options })
  opened.push(made)
  return made
}

async function failure(promise: Promise<unknown>): Promise<RpcError> {
  return promise.then(
    () => {
      throw new Error('it did not fail')
    },
    (error: unknown) => error as RpcError,
  )
}

/** A bare socket at the server's port. */
async function bare(server: Server): Promise<Socket> {
  const { port = 0 } = parseAddress(server.address)
  const socket = createConnection({ port, host: 'localhost' })
  socket.on('error', () => undefined)
  await once(socket, 'connect')
  opened.push({ close: () => socket.destroy() })
  return socket
}

function framed(message: Uint8Array): Uint8Array {
  const frame = new Uint8Array(4 + message.length)
  writeFrame(frame, 0, message)
  return frame
}

function hello(): Uint8Array {
  const writer = new ByteWriter()
  writeHello(writer, {
    version: PROTOCOL_VERSION,
    role: 'client',
    clusterId: '',
    nodeId: '',
    incarnation: '',
    token: '',
    messageBytesMax: 1 << 20,
  })
  return framed(writer.finish())
}

/** Everything that comes until the end, as text; fails when the end does not come. */
async function untilClosed(socket: Socket): Promise<string> {
  const chunks: Buffer[] = []
  socket.on('data', (chunk) => chunks.push(chunk))
  if (!socket.destroyed) await new Promise((resolve) => socket.on('close', resolve))
  return Buffer.concat(chunks).toString('latin1')
}

describe('the handshake', () => {
  test('a wrong token is refused at once, a right one is welcome', async () => {
    const server = await start({ token: 'secret' })
    for (const identity of [{}, { token: 'wrong' }, { token: 'secre' }]) {
      const error = await failure(
        connect(Plain, server.address, { transport: tcp(), identity, timeout: 2000 }),
      )
      expect(error).toMatchObject({ code: 'UNAUTHORISED', executed: 'no' })
    }
    const admitted = await client(server, { identity: { token: 'secret' } })
    expect(await admitted.echo(Uint8Array.of(1))).toEqual(Uint8Array.of(1))
    expect(server.metrics().refused).toBe(3)
  })

  test('a rule may ask other tokens of other roles', async () => {
    const server = await start({ token: (token, role) => role === 'client' || token === 'inner' })
    await client(server)
    const error = await failure(
      connect(Plain, server.address, {
        transport: tcp(),
        identity: { role: 'peer', token: 'x' },
        timeout: 2000,
      }),
    )
    expect(error.code).toBe('UNAUTHORISED')
  })

  test('another cluster is refused by name, from either side', async () => {
    const server = await start({ identity: { clusterId: 'prod' } })
    const error = await failure(
      connect(Plain, server.address, { transport: tcp(), identity: { clusterId: 'test' }, timeout: 2000 }),
    )
    expect(error).toMatchObject({ code: 'REFUSED', remoteCode: 'WRONG_CLUSTER' })
    expect(error.message).toContain('prod')
    await client(server, { identity: { clusterId: 'prod' } })
    await client(server)
  })

  test('onHandshake sees who comes and may refuse with a code of its own', async () => {
    const peers: string[] = []
    const server = await start({
      onHandshake: async (peer) => {
        await Promise.resolve()
        peers.push(`${peer.role} ${peer.nodeId} ${peer.incarnation}`)
        if (peer.incarnation === 'new')
          throw new HandshakeRefused('WIPED', 'n2 lost its disk: remove and add it again')
      },
    })
    const identity = { role: 'peer' as const, nodeId: 'n2', incarnation: 'new' }
    const states: (string | undefined)[] = []
    const link = openLink(server.address, {
      transport: tcp(),
      identity,
      onState: (state, error) => state === 'down' && states.push(error?.remoteCode),
    })
    opened.push(link)
    const error = await failure(link.client(Plain).echo(Uint8Array.of(1)))
    expect(error).toMatchObject({ code: 'REFUSED', remoteCode: 'WIPED', executed: 'no' })
    expect(states[0]).toBe('WIPED')
    // Refused for good: the next call does not wait.
    expect(await failure(link.client(Plain).echo(Uint8Array.of(1)))).toMatchObject({ remoteCode: 'WIPED' })
    await client(server, { identity: { ...identity, incarnation: 'old' } })
    expect(peers).toEqual(['peer n2 new', 'peer n2 old'])
  })

  test('another protocol version is refused in words', async () => {
    const server = await start()
    const socket = await bare(server)
    socket.write(framed(new ByteWriter().u8(1).u32(0x4350524c).varint(99).finish()))
    expect(await untilClosed(socket)).toContain('protocol version 1, not 99')
  })

  test.each(['tcp://0.0.0.0:0', 'tcp://:0', 'tcp://[::]:0'])(
    '%s is refused without TLS and token',
    async (listen) => {
      const error = await failure(serve({ transport: tcp(), listen, token: 'x' }))
      expect(error.code).toBe('BAD_REQUEST')
      expect(error.message).toContain('insecure: true')
      const server = await serve({ transport: tcp(), listen, insecure: true })
      await server.close()
    },
  )
})

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
    opened.push(link)
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

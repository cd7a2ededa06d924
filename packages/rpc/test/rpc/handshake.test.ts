import { describe, expect, test } from 'vitest'
import { ByteWriter, HandshakeRefused, connect, openLink, serve } from '../../src/index.ts'
import { tcp } from '../../src/tcp/index.ts'
import { closing, failure } from './harness.ts'
import { Plain, bare, client, framed, start, untilClosed } from './plain.ts'

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

  test('a role without a token of its own is refused, with whatever it shows', async () => {
    const server = await start({ token: { client: 'secret' } })
    await client(server, { identity: { token: 'secret' } })
    for (const token of ['', 'secret']) {
      const identity = { role: 'admin' as const, token }
      const options = { transport: tcp(), identity, timeout: 2000 }
      expect(await failure(connect(Plain, server.address, options))).toMatchObject({ code: 'UNAUTHORISED' })
    }
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
    closing(link)
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

/** Who is let in, who is not, and what they are told. */
import { once } from 'node:events'
import { connect as connectTls } from 'node:tls'
import { describe, expect, test } from 'vitest'
import { WebSocket } from 'ws'
import { TlsKeys, type TlsOptions } from '../../src/tls/index.ts'
import { connect, parseAddress, type LocalIdentity, type ServeOptions, type Server } from '../../src/index.ts'
import { tcp } from '../../src/tcp/index.ts'
import { closing, failure } from '../rpc/harness.ts'
import { Plain, start } from '../rpc/plain.ts'
import { authority, certified, early, expired, forged, schemes, transportOf, type Scheme } from './world.ts'

const peer = (nodeId: string, more: Partial<LocalIdentity> = {}): Partial<LocalIdentity> => ({
  role: 'peer',
  nodeId,
  ...more,
})

async function secure(
  scheme: Scheme,
  tls: TlsOptions = certified('n1'),
  more: Partial<ServeOptions> = {},
): Promise<Server> {
  const transport = transportOf(scheme, tls)
  return start({ transport, listen: `${scheme}://localhost:0`, identity: { nodeId: 'n1' }, ...more })
}

async function talk(
  scheme: Scheme,
  server: Server,
  tls: TlsOptions,
  identity: Partial<LocalIdentity> = {},
): Promise<void> {
  const transport = transportOf(scheme, tls)
  const client = closing(await connect(Plain, server.address, { transport, identity, timeout: 3000 }))
  expect(await client.echo(Uint8Array.of(7))).toEqual(Uint8Array.of(7))
}

describe.each(schemes)('over %s', (scheme) => {
  test.each([
    ['expired', expired('n1'), /CERT_HAS_EXPIRED/],
    ['not yet valid', early('n1'), /CERT_NOT_YET_VALID/],
    ['issued by somebody else', forged('n1'), /not trusted/],
    ['for another host', certified('n1', { hosts: ['example.org'] }), /ERR_TLS_CERT_ALTNAME_INVALID/],
    ['for clients only', certified('n1', { usage: 'client' }), /not trusted/],
  ])('a server whose certificate is %s is not talked to', async (_, tls, why) => {
    const server = await secure(scheme, tls)
    const error = await failure(talk(scheme, server, { ca: authority.cert }))
    expect(error).toMatchObject({ code: 'UNAUTHORISED', executed: 'no' })
    expect(error.message).toMatch(why)
    expect(server.metrics().accepted).toBe(0)
  })

  test('a server is known by another name than its host when the client asks for that', async () => {
    const server = await secure(scheme, certified('n1', { hosts: ['lab.internal'] }))
    await talk(scheme, server, { ca: authority.cert, serverName: 'lab.internal' })
    const other = { ca: authority.cert, serverName: 'lab.external' }
    expect(await failure(talk(scheme, server, other))).toMatchObject({ code: 'UNAUTHORISED' })
  })

  test('a peer is whom its certificate names, and nobody else', async () => {
    const server = await secure(scheme)
    await talk(scheme, server, certified('n2'), peer('n2'))
    const refusals: readonly (readonly [TlsOptions, RegExp])[] = [
      [certified('n3'), /names it, n2: this one names n3/],
      [{ ca: authority.cert }, /names it, n2: it shows none/],
      [expired('n2'), /CERT_HAS_EXPIRED/],
      [forged('n2'), /SELF_SIGNED|UNABLE_TO|CERT_SIGNATURE_FAILURE/],
    ]
    for (const [tls, why] of refusals) {
      const error = await failure(talk(scheme, server, tls, peer('n2')))
      expect(error).toMatchObject({ code: 'UNAUTHORISED', remoteCode: 'WRONG_CERTIFICATE' })
      expect(error.message).toMatch(why)
    }
    // Clients need none.
    await talk(scheme, server, { ca: authority.cert })
  })

  test('a peer does not talk to a server that answers under a name that is not in its certificate', async () => {
    const server = await secure(scheme, certified('n2'), { identity: { nodeId: 'n1' } })
    const error = await failure(talk(scheme, server, certified('n3'), peer('n3')))
    expect(error).toMatchObject({ code: 'UNAUTHORISED', remoteCode: 'WRONG_CERTIFICATE' })
    await talk(scheme, server, { ca: authority.cert })
  })

  test('where everybody needs a certificate, nobody without one gets as far as a handshake', async () => {
    const server = await secure(scheme, { ...certified('n1'), clientCertificates: 'all' })
    await talk(scheme, server, certified('app', { usage: 'client' }))
    const refused = [{ ca: authority.cert }, forged('app'), expired('app')]
    const errors = await Promise.all(refused.map((tls) => failure(talk(scheme, server, tls))))
    for (const { code } of errors) expect(['UNAUTHORISED', 'CLOSED', 'UNREACHABLE']).toContain(code)
    expect(server.metrics().accepted).toBe(1)
  })

  test("a client's token does not make a peer or an admin of it, whatever else it says", async () => {
    const token = { client: ['old', 'new'], peer: 'inner', admin: 'outer' }
    const server = await secure(scheme, certified('n1'), { token })
    const tls = certified('n2')
    for (const [role, right] of [
      ['client', 'old'],
      ['client', 'new'],
      ['peer', 'inner'],
      ['admin', 'outer'],
    ] as const)
      await talk(scheme, server, tls, { role, nodeId: 'n2', token: right })
    for (const [role, wrong] of [
      ['peer', 'new'],
      ['admin', 'new'],
      ['client', 'inner'],
      ['admin', 'inner'],
      ['peer', ''],
    ] as const) {
      const error = await failure(talk(scheme, server, tls, { role, nodeId: 'n2', token: wrong }))
      expect(error).toMatchObject({ code: 'UNAUTHORISED', executed: 'no' })
    }
  })

  test('what is not TLS, and TLS 1.1, come to nothing while a good client works', async () => {
    const server = await secure(scheme)
    const { port = 0 } = parseAddress(server.address)
    const plain = connectTls({
      port,
      host: 'localhost',
      ca: authority.cert ?? '',
      maxVersion: 'TLSv1.1',
      minVersion: 'TLSv1',
    })
    const [error] = (await once(plain, 'error')) as [Error]
    expect(error.message).toMatch(/protocol|version|alert/i)
    const bytes = await failure(
      connect(Plain, `tcp://localhost:${String(port)}`, { transport: tcp(), timeout: 1500 }),
    )
    expect(['CLOSED', 'UNREACHABLE', 'TIMEOUT']).toContain(bytes.code)
    await talk(scheme, server, { ca: authority.cert })
  })
})

test('a page from elsewhere cannot connect over wss, one that is listed can', async () => {
  const server = await secure('wss', certified('n1'), { origins: ['https://app.example'] })
  const { port = 0 } = parseAddress(server.address)
  const firstBytes = async (origin: string): Promise<string> => {
    const socket = new WebSocket(`wss://localhost:${String(port)}`, { ca: authority.cert, origin })
    closing({ close: () => socket.terminate() })
    await once(socket, 'open')
    socket.send(new Uint8Array(4))
    const said: string[] = []
    socket.on('message', (data: Buffer) => said.push(data.toString('latin1')))
    await once(socket, 'close')
    return said.join('')
  }
  expect(await firstBytes('https://evil.example')).toContain('does not serve pages of https://evil.example')
  expect(await firstBytes('https://app.example')).not.toContain('does not serve')
})

test('keys that are replaced serve the next connection; those open live on', async () => {
  const keys = new TlsKeys(expired('n1'))
  const transport = tcp({ tls: keys })
  const server = await start({ transport, listen: 'tls://localhost:0', identity: { nodeId: 'n1' } })
  expect(await failure(talk('tls', server, { ca: authority.cert }))).toMatchObject({ code: 'UNAUTHORISED' })
  keys.replace(certified('n1'))
  await talk('tls', server, { ca: authority.cert })
})

test.each(['tls://0.0.0.0:0', 'tls://:0'])(
  '%s is refused without a token, and taken with one',
  async (listen) => {
    const transport = tcp({ tls: certified('n1') })
    const error = await failure(start({ transport, listen }))
    expect(error).toMatchObject({ code: 'BAD_REQUEST' })
    expect(error.message).toMatch(/without a token/)
    await start({ transport, listen, token: { client: 'x' } })
  },
)

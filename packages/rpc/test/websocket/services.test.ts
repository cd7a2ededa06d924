/** Services over WebSocket: what the transport and the layer above must get right together. */
import { createServer, type Server } from 'node:http'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { afterEach, describe, expect, test } from 'vitest'
import { WebSocket } from 'ws'
import {
  bytesCodec,
  connect,
  implement,
  notification,
  serve,
  service,
  stream,
  unary,
  type ServeOptions,
  type Server as RpcServer,
} from '../../src/index.ts'
import { webSocket } from '../../src/websocket/index.ts'
import { webSocket as pageWebSocket } from '../../src/websocket/browser.ts'

const Mixed = service('mixed', {
  echo: unary<Uint8Array, Uint8Array>({ request: bytesCodec, response: bytesCodec }),
  count: stream<{ to: number }, number>(),
  note: notification<string>(),
  notes: unary<null, string[]>(),
})

const open: { close(): unknown }[] = []

afterEach(async () => {
  for (const one of open.splice(0).reverse()) await one.close()
})

async function serveMixed(options: Partial<ServeOptions> = {}): Promise<RpcServer> {
  const notes: string[] = []
  const server = await serve({ transport: webSocket(), listen: 'localhost:0', ...options }, [
    implement(Mixed, {
      echo: (bytes) => bytes,
      async *count({ to }) {
        for (let n = 1; n <= to; n++) yield n
      },
      note: (text) => void notes.push(text),
      notes: () => notes,
    }),
  ])
  open.push({ close: () => server.close({ drainMs: 100 }) })
  return server
}

async function appServer(host: string): Promise<Server> {
  const app = createServer((_request, response) => response.end('the app'))
  app.listen(0, host)
  await once(app, 'listening')
  open.push({
    close() {
      app.close()
      app.closeAllConnections()
    },
  })
  return app
}

describe.each([
  ['a port of our own', async () => serveMixed()],
  [
    'the app’s HTTP server',
    async () => {
      const app = await appServer('127.0.0.1')
      return serveMixed({ transport: webSocket({ server: app, path: '/rpc' }) })
    },
  ],
])('over WebSocket at %s', (_name, start) => {
  test.each([
    ['ws', webSocket],
    ['a page', pageWebSocket],
  ])('calls, large ones, streams and notifications work for %s', async (_client, transport) => {
    const scope = globalThis as { WebSocket?: unknown }
    scope.WebSocket ??= WebSocket
    const server = await start()
    const client = await connect(Mixed, server.address, { transport: transport() })
    open.push(client)
    const large = new Uint8Array(3_000_000).map((_, i) => i)
    const [small, big] = await Promise.all([client.echo(Uint8Array.of(1)), client.echo(large)])
    expect(small).toEqual(Uint8Array.of(1))
    expect(Buffer.compare(big, large)).toBe(0)
    let last = 0
    for await (const n of client.count({ to: 20_000 })) last = n
    expect(last).toBe(20_000)
    client.note('first')
    client.note('second')
    expect(await client.notes(null)).toEqual(['first', 'second'])
  })
})

test('a web page whose origin is not listed is refused, a listed one and programs come in', async () => {
  const server = await serveMixed({ origins: ['https://good.example'] })
  const scope = globalThis as { WebSocket?: unknown }
  const original = scope.WebSocket
  const from = async (origin: string): Promise<unknown> => {
    scope.WebSocket = class extends WebSocket {
      constructor(url: string) {
        super(url, { origin })
      }
    }
    const client = await connect(Mixed, server.address, { transport: pageWebSocket() })
    open.push(client)
    return client.notes(null)
  }
  await expect(from('https://evil.example')).rejects.toMatchObject({ code: 'UNAUTHORISED' })
  expect(await from('https://good.example')).toEqual([])
  scope.WebSocket = original
})

test('joining an HTTP server that other machines can reach needs insecure: true, whatever the address says', async () => {
  const app = await appServer('0.0.0.0')
  const { port } = app.address() as AddressInfo
  const listen = `ws://localhost:${String(port)}/rpc`
  await expect(serveMixed({ transport: webSocket({ server: app }), listen })).rejects.toMatchObject({
    code: 'BAD_REQUEST',
  })
  const server = await serveMixed({ transport: webSocket({ server: app }), listen, insecure: true })
  expect(server.address).toBe(listen)
})

test('without the package ws the error says what to install', async () => {
  const { loadWs } = await import('../../src/websocket/ws-socket.ts')
  await expect(loadWs(() => Promise.reject(new Error('Cannot find package')))).rejects.toMatchObject({
    code: 'BAD_REQUEST',
    message: expect.stringContaining('npm i ws') as string,
  })
})

/** Accepts WebSockets on a port of our own or on the app's HTTP server. Node only. */
import { createServer, type IncomingMessage, type Server } from 'node:http'
import { createServer as createHttpsServer, type Server as HttpsServer } from 'node:https'
import { TLSSocket } from 'node:tls'
import { formatAddress, type ParsedAddress } from '../address.ts'
import { RpcError } from '../errors.ts'
import { certificateOf } from '../tls/certificate.ts'
import { serverOptions } from '../tls/server-options.ts'
import type { Address, Channel, Listener } from '../transport.ts'
import { parseWebSocketAddress } from './address.ts'
import { FRAME_BYTES_MAX, WebSocketChannel, type RemoteEnd } from './channel.ts'
import type { NodeSettings } from './node-settings.ts'
import type { HttpServer } from './options.ts'
import { addRoute, type Route } from './upgrade.ts'
import { loadWs, WsSocket } from './ws-socket.ts'

type Place = ParsedAddress & { readonly port: number }

export async function listen(
  at: Address,
  accept: (channel: Channel) => void,
  settings: NodeSettings,
): Promise<Listener> {
  const parsed = parseWebSocketAddress(at)
  const place = { ...parsed, path: pathFor(parsed, settings.path) }
  const route = await upgrader(accept, settings)
  if (settings.server !== undefined) return listenOnApp(settings.server, place, route)
  return listenOnPort(place, route, settings)
}

/** Turns upgrade requests into channels. */
async function upgrader(accept: (channel: Channel) => void, settings: NodeSettings): Promise<Route> {
  const { WebSocketServer } = await loadWs()
  const upgrades = new WebSocketServer({
    noServer: true,
    clientTracking: false,
    perMessageDeflate: false, // thirty times slower, and a small frame may unfold into a very large one
    maxPayload: FRAME_BYTES_MAX,
  })
  return (request, socket, head) =>
    upgrades.handleUpgrade(request, socket, head, (webSocket) => {
      accept(new WebSocketChannel(new WsSocket(webSocket), remoteEnd(request, settings), settings))
    })
}

function remoteEnd({ socket, headers }: IncomingMessage, { server, tls }: NodeSettings): RemoteEnd {
  const { remoteAddress: host = 'unknown', remotePort: port = 0 } = socket
  const isSecure = socket instanceof TLSSocket
  // Whom the app's own server asks for certificates is the app's business.
  const asked = server === undefined ? tls.clientCertificates : 'none'
  return {
    remoteAddress: formatAddress({ scheme: isSecure ? 'wss' : 'ws', host, port, path: '' }),
    origin: headers.origin,
    certificate: isSecure ? certificateOf(socket, asked) : undefined,
  }
}

function pathFor({ path: addressed }: ParsedAddress, wanted: string | undefined): string {
  if (addressed === '' || addressed === '/') return wanted ?? '/'
  if (wanted === undefined || wanted === addressed) return addressed
  throw new RpcError('BAD_ADDRESS', `the address says ${addressed} and the option path ${wanted}`)
}

async function listenOnPort(place: Place, route: Route, settings: NodeSettings): Promise<Listener> {
  const { server, release } = place.scheme === 'wss' ? httpsServer(place, settings) : httpServer(settings)
  server.on('request', (_request, response) => {
    response.writeHead(426, { Connection: 'close', Upgrade: 'websocket' })
    response.end('This port speaks WebSocket.\n')
  })
  const removeRoute = addRoute(server, place.path, route)
  await startListening(server, place)
  return {
    address: formatAddress({ ...place, host: place.host || 'localhost', port: portOf(server) }),
    async close() {
      release()
      removeRoute()
      server.close()
      server.closeAllConnections() // those that are no WebSockets yet; the others live on
    },
  }
}

interface OwnServer {
  readonly server: Server | HttpsServer
  readonly release: () => void
}

function timeouts({ upgradeMs }: NodeSettings): {
  headersTimeout: number
  requestTimeout: number
  connectionsCheckingInterval: number
} {
  const connectionsCheckingInterval = Math.ceil(upgradeMs / 4)
  return { headersTimeout: upgradeMs, requestTimeout: upgradeMs, connectionsCheckingInterval }
}

function httpServer(settings: NodeSettings): OwnServer {
  return { server: createServer(timeouts(settings)), release: () => undefined }
}

function httpsServer(place: Place, settings: NodeSettings): OwnServer {
  const { tls, upgradeMs } = settings
  const options = serverOptions(tls, formatAddress(place))
  const server = createHttpsServer({ ...options, ...timeouts(settings), handshakeTimeout: upgradeMs })
  const release = tls.onChange(() => {
    server.setSecureContext(tls.context)
  })
  return { server, release }
}

async function startListening(server: Server | HttpsServer, place: Place): Promise<void> {
  const { host, port } = place
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error) => reject(listenError(formatAddress(place), error)))
    server.listen({ port, ...(host === '' ? {} : { host }) }, resolve)
  })
  server.removeAllListeners('error')
  // What can still fail is one accept, for want of file descriptors: the listener lives on.
  server.on('error', () => {})
}

function listenError(at: Address, error: NodeJS.ErrnoException): RpcError {
  if (error.code === 'EADDRINUSE')
    return new RpcError('ADDRESS_IN_USE', `another listener holds ${at}`, { cause: error })
  return new RpcError('BAD_ADDRESS', `cannot listen at ${at}: ${error.message}`, { cause: error })
}

function listenOnApp(server: HttpServer, place: Place, route: Route): Listener {
  if (!server.listening)
    throw new RpcError('BAD_REQUEST', 'the HTTP server does not listen yet: wait for its listen() first')
  const isHttps = 'setSecureContext' in server
  const removeRoute = addRoute(server, place.path, route)
  return {
    address: formatAddress({
      scheme: isHttps ? 'wss' : place.scheme, // behind a proxy that does TLS, wss may reach a plain server
      host: place.host || 'localhost',
      port: place.port === 0 ? portOf(server) : place.port,
      path: place.path,
    }),
    boundHost: boundTo(server)?.address,
    async close() {
      removeRoute()
    },
  }
}

function portOf(server: HttpServer): number {
  return boundTo(server)?.port ?? 0
}

/** Nothing for a server on a Unix socket. */
function boundTo(server: HttpServer): { readonly address: string; readonly port: number } | undefined {
  const address = server.address()
  return typeof address === 'object' && address !== null ? address : undefined
}

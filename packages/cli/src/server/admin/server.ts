/**
 * The admin port, over HTTP: /livez /readyz /metrics /debug/trace. On this machine alone it is plain; elsewhere it is HTTPS, and all but the
 * health of the server takes an admin's token (`Authorization: Bearer …`).
 */
import { createServer, type IncomingMessage, type RequestListener, type Server } from 'node:http'
import { createServer as createHttpsServer } from 'node:https'
import { tokensOf, toError, type RoleTokens } from '@lab/rpc'
import type { TlsKeys } from '@lab/rpc/tls'
import { timingSafeEqual, createHash } from 'node:crypto'
import { CliError } from '../../errors.ts'
import { usage } from '../../parse.ts'
import type { AdminAddress } from './address.ts'
import { answer, type AdminView, type Reply } from './answer.ts'

export interface AdminOptions {
  readonly address: AdminAddress
  readonly view: AdminView
  readonly tls: TlsKeys | undefined
  readonly token: string | RoleTokens | undefined
  readonly insecure: boolean
}

export interface AdminServer {
  /** Such as `http://127.0.0.1:9090`. */
  readonly url: string
  close(): void
}

const TEXT = 'text/plain; charset=utf-8'
/** Health is asked for by orchestrators, which have no tokens. */
const OPEN = ['/livez', '/readyz']
const REQUEST_MS = 5000
/** How often Node looks whose time is up: at its own 30 s, silent connections could take all places for so long. */
const LOOK_MS = 1000
const CONNECTIONS_MAX = 64
const TIMEOUTS = {
  headersTimeout: REQUEST_MS,
  requestTimeout: REQUEST_MS,
  connectionsCheckingInterval: LOOK_MS,
}

/** @throws {CliError} `USAGE` when other machines could reach it unprotected, `FAILED` when the port is taken */
export async function startAdmin({
  address,
  view,
  tls,
  token,
  insecure,
}: AdminOptions): Promise<AdminServer> {
  const guarded = !address.local && !insecure
  if (guarded && (tls?.canServe !== true || token === undefined))
    throw usage(
      `--admin ${address.host} could be reached by other machines without TLS and token: say a port alone, or --insecure`,
    )
  const onRequest: RequestListener = (request, response) => {
    const { status, type, body } = reply(request, view, guarded ? (token ?? '') : null)
    response.writeHead(status, { 'content-type': type, 'cache-control': 'no-store' }).end(body)
  }
  const { server, release } =
    guarded && tls !== undefined
      ? encryptedServer(tls, onRequest)
      : { server: createServer(TIMEOUTS, onRequest), release: () => undefined }
  server.maxConnections = CONNECTIONS_MAX
  await listen(server, address)
  return {
    url: `${guarded ? 'https' : 'http'}://${address.host}:${portOf(server)}`,
    close: () => {
      release()
      server.close()
      server.closeAllConnections()
    },
  }
}

function encryptedServer(
  tls: TlsKeys,
  onRequest: RequestListener,
): { readonly server: Server; readonly release: () => void } {
  const options = { ...TIMEOUTS, ...tls.context, handshakeTimeout: REQUEST_MS }
  const server = createHttpsServer(options, onRequest)
  const release = tls.onChange(() => {
    server.setSecureContext(tls.context)
  })
  return { server, release }
}

/** @param tokens who may see more than the server's health; null: everybody who gets here */
function reply(request: IncomingMessage, view: AdminView, tokens: string | RoleTokens | null): Reply {
  const url = parseTarget(request.url)
  if (url === null) return { status: 400, type: TEXT, body: 'no such path\n' }
  if (tokens !== null && !OPEN.includes(url.pathname) && !isAdmin(request, tokens))
    return { status: 401, type: TEXT, body: 'an admin token is needed\n' }
  if (request.method !== 'GET') return { status: 405, type: TEXT, body: 'GET only\n' }
  return answer(view, url.pathname, url.searchParams)
}

/** What stands in a request may be anything: `//` is a URL without a host. */
function parseTarget(target = '/'): URL | null {
  const url = target.startsWith('/') ? `http://admin${target}` : target
  return URL.canParse(url) ? new URL(url) : null
}

function isAdmin({ headers }: IncomingMessage, tokens: string | RoleTokens): boolean {
  const given = /^Bearer (.+)$/.exec(headers.authorization ?? '')?.[1] ?? ''
  return tokensOf(tokens, 'admin').filter((token) => timingSafeEqual(digest(token), digest(given))).length > 0
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest()
}

async function listen(server: Server, { host, port }: AdminAddress): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error) => {
      reject(new CliError('FAILED', `--admin ${host}:${port}: ${toError(error).message}`, { cause: error }))
    })
    server.listen({ port, host }, resolve)
  })
  server.removeAllListeners('error')
  server.on('error', () => undefined)
}

function portOf(server: Server): number {
  const address = server.address()
  return typeof address === 'object' && address !== null ? address.port : 0
}

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
import { answer, type AdminView } from './answer.ts'

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

/** Health is asked for by orchestrators, which have no tokens. */
const OPEN = ['/livez', '/readyz']
const REQUEST_MS = 5000
const CONNECTIONS_MAX = 64

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
    const { pathname, searchParams } = new URL(request.url ?? '/', 'http://admin')
    const reply =
      guarded && !OPEN.includes(pathname) && !isAdmin(request, token ?? '')
        ? { status: 401, type: 'text/plain', body: 'an admin token is needed\n' }
        : request.method === 'GET'
          ? answer(view, pathname, searchParams)
          : { status: 405, type: 'text/plain', body: 'GET only\n' }
    response
      .writeHead(reply.status, { 'content-type': reply.type, 'cache-control': 'no-store' })
      .end(reply.body)
  }
  const timeouts = { headersTimeout: REQUEST_MS, requestTimeout: REQUEST_MS }
  const server =
    guarded && tls !== undefined
      ? createHttpsServer({ ...timeouts, ...tls.context }, onRequest)
      : createServer(timeouts, onRequest)
  server.maxConnections = CONNECTIONS_MAX
  await listen(server, address)
  return {
    url: `${guarded ? 'https' : 'http'}://${address.host}:${portOf(server)}`,
    close: () => {
      server.close()
      server.closeAllConnections()
    },
  }
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

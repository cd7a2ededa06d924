/**
 * Shares one HTTP server between paths: those of our listeners, and all others, which are the app's.
 *
 *     'upgrade' ── path is one of ours ─→ its route
 *               └─ another, and nobody else listens for upgrades ─→ 404   (the connection would hang for ever)
 */
import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import { RpcError } from '../errors.ts'
import type { HttpServer } from './options.ts'

export type Route = (request: IncomingMessage, socket: Duplex, head: Buffer) => void

const routers = new WeakMap<HttpServer, Router>()

class Router {
  readonly routes = new Map<string, Route>()
  readonly #server: HttpServer

  constructor(server: HttpServer) {
    this.#server = server
  }

  /** Typed as {@link HttpServer} wants it, which names no types of Node. */
  readonly onUpgrade = (...args: unknown[]): void => {
    const [request, socket, head] = args as Parameters<Route>
    const route = this.routes.get(pathOf(request))
    if (route !== undefined) route(request, socket, head)
    else if (this.#server.listenerCount('upgrade') === 1) refuse(socket)
  }
}

/**
 * Hands the upgrades of `path` to `route`.
 *
 * @returns takes it back
 * @throws {RpcError} `ADDRESS_IN_USE` when another listener has the path
 */
export function addRoute(server: HttpServer, path: string, route: Route): () => void {
  let router = routers.get(server)
  if (router === undefined) {
    router = new Router(server)
    routers.set(server, router)
  }
  const { routes, onUpgrade } = router
  if (routes.has(path))
    throw new RpcError('ADDRESS_IN_USE', `another listener has the path ${path} of this HTTP server`)
  if (routes.size === 0) server.on('upgrade', onUpgrade)
  routes.set(path, route)
  return () => {
    if (routes.get(path) === route) routes.delete(path)
    if (routes.size === 0) server.off('upgrade', onUpgrade)
  }
}

function pathOf(request: IncomingMessage): string {
  return (request.url ?? '/').replace(/[?#].*$/, '')
}

function refuse(socket: Duplex): void {
  socket.on('error', () => {}) // it is on its way out
  socket.end('HTTP/1.1 404 Not Found\r\nConnection: close\r\nContent-Length: 0\r\n\r\n', () =>
    socket.destroy(),
  )
}

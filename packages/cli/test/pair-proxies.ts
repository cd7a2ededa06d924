/** TCP proxies between servers, one for each direction of each pair, so that a test can cut any of them as a network would. */
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net'

/** `open`; `silent`: nothing arrives, and nobody is told; `refused`: connections are reset, and new ones too. */
export type Way = 'open' | 'silent' | 'refused'

class Proxy {
  readonly #server: Server
  readonly #to: number
  readonly #sockets = new Set<Socket>()
  #way: Way = 'open'

  private constructor(server: Server, to: number) {
    this.#server = server
    this.#to = to
    server.on('connection', (socket) => {
      this.#accept(socket)
    })
  }

  static start(to: number): Promise<Proxy> {
    const server = createServer()
    return new Promise((resolve, reject) => {
      server.once('error', reject)
      server.listen(0, '127.0.0.1', () => {
        resolve(new Proxy(server, to))
      })
    })
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port
  }

  set(way: Way): void {
    this.#way = way
    for (const socket of this.#sockets) {
      if (way === 'refused') socket.resetAndDestroy()
      else if (way === 'silent') socket.pause()
      else socket.resume()
    }
  }

  close(): void {
    this.set('refused')
    this.#server.close()
  }

  #accept(socket: Socket): void {
    if (this.#way === 'refused') {
      socket.resetAndDestroy()
      return
    }
    const other = connect(this.#to, '127.0.0.1')
    for (const [one, peer] of [
      [socket, other],
      [other, socket],
    ] as const) {
      this.#sockets.add(one)
      one.on('data', (bytes) => peer.write(bytes))
      one.on('error', () => undefined)
      one.on('close', () => {
        this.#sockets.delete(one)
        peer.destroy()
      })
      if (this.#way === 'silent') one.pause()
    }
  }
}

export class PairProxies {
  /** By `from>to`. */
  readonly #proxies = new Map<string, Proxy>()

  /** @param ports where each server listens, by its id */
  static async start(ports: Readonly<Record<string, number>>): Promise<PairProxies> {
    const pairs = new PairProxies()
    for (const from of Object.keys(ports))
      for (const [to, port] of Object.entries(ports))
        if (from !== to) pairs.#proxies.set(`${from}>${to}`, await Proxy.start(port))
    return pairs
  }

  port(from: string, to: string): number {
    return this.#proxies.get(`${from}>${to}`)?.port ?? 0
  }

  /** Servers of different sides do not reach each other. */
  partition(sides: readonly (readonly string[])[], way: Exclude<Way, 'open'>): void {
    for (const [pair, proxy] of this.#proxies) {
      const [from = '', to = ''] = pair.split('>')
      const together = sides.some((side) => side.includes(from) && side.includes(to))
      proxy.set(together ? 'open' : way)
    }
  }

  join(): void {
    for (const proxy of this.#proxies.values()) proxy.set('open')
  }

  close(): void {
    for (const proxy of this.#proxies.values()) proxy.close()
  }
}

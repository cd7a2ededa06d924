import { formatAddress, parseAddress, pickTransport } from './address.ts'
import { admit, checkListenAddress, originRefusal, type AdmissionOptions } from './admission.ts'
import { sleep, systemClock, type Clock, type Milliseconds } from './clock.ts'
import { Deadlines } from './deadlines.ts'
import { Door } from './door.ts'
import { identityWith, type LocalIdentity } from './handshake.ts'
import { limitsWith, type Limits } from './limits.ts'
import { systemRandom, type Random } from './random.ts'
import { Registry } from './registry.ts'
import { ServerConnection } from './server-connection.ts'
import { ServerCounters, type ServerMetrics } from './server-counters.ts'
import type { ServerShared } from './server-shared.ts'
import type { Implementation } from './service.ts'
import type { TraceSink } from './trace.ts'
import type { Address, Channel, Listener, Transport } from './transport.ts'
import { wireError } from './wire-error.ts'

export interface ServeOptions extends AdmissionOptions {
  /** One of the two is needed; `transports` are chosen among by the scheme of each address. */
  readonly transport?: Transport
  readonly transports?: readonly Transport[]
  /** Where to listen. Port 0 takes a free one: see `Server.address`. */
  readonly listen: Address | readonly Address[]
  /** What this server says of itself. Default: a peer of any cluster, without a name. */
  readonly identity?: Partial<LocalIdentity>
  readonly clock?: Clock
  readonly random?: Random
  /** Gets an event for every message. */
  readonly trace?: TraceSink
  readonly limits?: Partial<Limits>
}

/**
 * Answers calls at one or more addresses.
 *
 * @throws {RpcError} `ADDRESS_IN_USE`, `BAD_ADDRESS`, or `BAD_REQUEST` for an address that other machines could reach unprotected
 * @example
 * const server = await serve({ transport: tcp(), listen: 'localhost:7001' }, [implement(Greeter, handlers)])
 */
export async function serve(
  options: ServeOptions,
  implementations: readonly Implementation[] = [],
): Promise<Server> {
  const server = new Server(options)
  for (const implementation of implementations) server.add(implementation)
  try {
    await server.listen()
  } catch (error) {
    await server.close({ drainMs: 0 })
    throw error
  }
  return server
}

/** Services at their addresses. Made by {@link serve}. */
export class Server {
  readonly #options: ServeOptions
  readonly #shared: ServerShared
  readonly #listeners: Listener[] = []
  readonly #connections = new Set<ServerConnection>()
  #closed: Promise<void> | undefined
  #onAllGone: (() => void) | undefined

  constructor(options: ServeOptions) {
    this.#options = options
    const clock = options.clock ?? systemClock
    const random = options.random ?? systemRandom
    const identity = identityWith(options.identity, 'peer')
    this.#shared = {
      clock,
      limits: limitsWith(options.limits),
      trace: options.trace,
      identity,
      registry: new Registry(),
      deadlines: new Deadlines(clock),
      counters: new ServerCounters(),
      newConnectionId: () => hex(random.bytes(6)),
      admit: (hello, peer) => admit(hello, peer, identity, options),
    }
  }

  /** The first address, complete, with its real port. */
  get address(): Address {
    return this.#listeners[0]?.address ?? ''
  }

  get addresses(): readonly Address[] {
    return this.#listeners.map(({ address }) => address)
  }

  /** How many are connected now. */
  get connections(): number {
    return this.#connections.size
  }

  metrics(): ServerMetrics {
    const all = [...this.#connections]
    return this.#shared.counters.with({
      connections: all.length,
      inFlight: all.reduce((sum, { inFlight }) => sum + inFlight, 0),
      bufferedBytes: all.reduce((sum, { connection }) => sum + connection.channel.bufferedBytes, 0),
    })
  }

  /** Answers one more service from now on. @throws {RpcError} `BAD_REQUEST` when there is one of its name */
  add(implementation: Implementation): void {
    this.#shared.registry.add(implementation)
  }

  /** Answers a service no more. Calls in flight go on. */
  remove(implementation: Implementation): void {
    this.#shared.registry.remove(implementation)
  }

  /** For {@link serve}. */
  async listen(): Promise<void> {
    const { listen, transport, transports = transport === undefined ? [] : [transport] } = this.#options
    for (const at of typeof listen === 'string' ? [listen] : listen) {
      const picked = pickTransport(at, transports)
      checkListenAddress(picked.address, this.#options)
      const door = new Door(this.#shared.limits.channelsMax)
      const listener = await picked.transport.listen(picked.address, (channel) => {
        this.#accept(channel, door)
      })
      this.#listeners.push(listener)
      // A transport may listen elsewhere than it was told, as one that joins an existing HTTP server.
      const parsed = parseAddress(listener.address)
      const reached = formatAddress({ ...parsed, host: listener.boundHost ?? parsed.host })
      checkListenAddress(reached, this.#options)
    }
  }

  /**
   * Takes no new connections and calls, lets calls finish for up to `drainMs`, then ends all connections. Handlers that
   * still run learn it by their signal.
   */
  close(options: { readonly drainMs?: Milliseconds } = {}): Promise<void> {
    this.#closed ??= this.#close(options.drainMs ?? this.#shared.limits.drainMs)
    return this.#closed
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  async #close(drainMs: Milliseconds): Promise<void> {
    await Promise.all(this.#listeners.map((listener) => listener.close()))
    for (const connection of [...this.#connections]) connection.drain()
    if (this.#connections.size > 0 && drainMs > 0) await this.#allGone(drainMs)
    for (const connection of [...this.#connections]) connection.end()
    this.#shared.deadlines.clear()
  }

  async #allGone(limitMs: Milliseconds): Promise<void> {
    const giveUp = new AbortController()
    const gone = new Promise<void>((resolve) => {
      this.#onAllGone = resolve
    })
    const limit = sleep(this.#shared.clock, limitMs, giveUp.signal).catch(() => undefined)
    await Promise.race([gone, limit])
    giveUp.abort()
  }

  #accept(channel: Channel, door: Door): void {
    this.#shared.counters.accepted++
    const connection = new ServerConnection(channel, this.#shared, (ended) => {
      this.#connections.delete(ended)
      if (this.#connections.size === 0) this.#onAllGone?.()
    })
    this.#connections.add(connection)
    const refusal = !door.enter(connection)
      ? wireError('BUSY', 'it has as many connections as it takes')
      : originRefusal(channel.origin, this.#options)
    if (this.#closed !== undefined) connection.end()
    else if (refusal !== null) connection.refuse(refusal)
  }
}

function hex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')
}

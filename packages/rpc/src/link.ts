/**
 * One connection to a server that comes back by itself, for any number of services and callers.
 *
 *     connecting ──▶ up ──▶ down ──▶ connecting …        calls made meanwhile wait, until their deadlines
 */
import { Backoff, type ReconnectOptions } from './backoff.ts'
import { PendingCall } from './calls.ts'
import type { ClientConnection } from './client-connection.ts'
import { clientOf, type Caller, type Client } from './client.ts'
import { systemClock, type Clock, type Milliseconds, type Timer } from './clock.ts'
import { Deadlines } from './deadlines.ts'
import { dial, type DialOptions } from './dial.ts'
import { RpcError, toError } from './errors.ts'
import { identityWith, isForGood, type LocalIdentity, type PeerInfo } from './handshake.ts'
import { limitsWith, type Limits } from './limits.ts'
import { systemRandom, type Random } from './random.ts'
import type {
  Methods,
  NamedMethod,
  NotificationMethod,
  Service,
  StreamMethod,
  UnaryMethod,
} from './service.ts'
import type { StreamReader } from './stream-reader.ts'
import type { TraceSink } from './trace.ts'
import type { Address, Transport } from './transport.ts'
import { WaitingRoom } from './waiting-room.ts'

export interface LinkOptions {
  /** One of the two is needed; `transports` are chosen among by the scheme of the address. */
  readonly transport?: Transport
  readonly transports?: readonly Transport[]
  /** What this end says of itself. Default: a client of any cluster. */
  readonly identity?: Partial<LocalIdentity>
  readonly clock?: Clock
  readonly random?: Random
  /** Gets an event for every message. */
  readonly trace?: TraceSink
  readonly limits?: Partial<Limits>
  /** How to come back after a failure; false: not at all. */
  readonly reconnect?: ReconnectOptions | false
  /** Told of every change. `error` is why the link is down. */
  readonly onState?: (state: LinkState, error?: RpcError) => void
}

export type LinkState = 'connecting' | 'up' | 'down'

export interface WaitOptions {
  readonly timeout?: Milliseconds
  readonly signal?: AbortSignal
}

/** Per call: unary calls take both, streams the signal. */
export type CallOptions = WaitOptions

export interface UnaryOptions<Response> extends CallOptions {
  /** Takes what the server sends of the response ahead of the rest; a `ProtocolError` that it throws ends the connection. */
  readonly onPart?: (part: Response) => void
}

/**
 * Opens a link and returns at once; it connects in the background and comes back whenever it breaks.
 *
 * @param addresses of one server, or of several that are as good; tried in turn
 */
export function openLink(addresses: Address | readonly Address[], options: LinkOptions): Link {
  return new Link(addresses, options)
}

/** A connection that comes back. Calls are never sent twice: one that was in flight when it broke fails with `executed: 'unknown'`. */
export class Link implements Caller {
  readonly #options: LinkOptions
  readonly #clock: Clock
  readonly #limits: Limits
  readonly #dialOptions: DialOptions
  readonly #backoff: Backoff
  readonly #deadlines: Deadlines
  readonly #waiting: WaitingRoom
  #isClosed = false
  /** Ends the attempt under way. The next has it too unless this one succeeds, for an abort signal costs more than a call. */
  #attempt: AbortController | null = null
  #addresses: readonly Address[]
  #attempts = 0
  #state: LinkState = 'connecting'
  #current: ClientConnection | undefined
  /** Connections that take no new calls and live until their last call has ended. */
  readonly #leaving = new Set<ClientConnection>()
  #timer: Timer | undefined
  #isDialling = false
  #lastError: RpcError | undefined

  constructor(addresses: Address | readonly Address[], options: LinkOptions) {
    this.#options = options
    this.#clock = options.clock ?? systemClock
    this.#limits = limitsWith(options.limits)
    this.#deadlines = new Deadlines(this.#clock)
    const random = options.random ?? systemRandom
    this.#backoff = new Backoff(options.reconnect === false ? {} : (options.reconnect ?? {}), random)
    this.#waiting = new WaitingRoom(this.#deadlines, this.#limits.callsInFlightMax, () => this.#lastError)
    this.#addresses = listOf(addresses)
    this.#dialOptions = {
      transports: options.transports ?? (options.transport === undefined ? [] : [options.transport]),
      identity: identityWith(options.identity, 'client'),
      clock: this.#clock,
      limits: this.#limits,
      trace: options.trace,
      deadlines: this.#deadlines,
      onGoaway: (connection, error) => {
        this.#onGoaway(connection, error)
      },
      onEnd: (connection, error) => {
        this.#onEnd(connection, error)
      },
    }
    void this.#connect()
  }

  get state(): LinkState {
    return this.#state
  }

  /** Who answered the handshake; null unless the link is up. */
  get peer(): PeerInfo | null {
    return this.#current?.peer ?? null
  }

  /** The largest request that both ends take, in bytes; 0 unless the link is up. */
  get requestBytesMax(): number {
    return this.#current?.bodyBytesMax ?? 0
  }

  /** Bytes queued for the server: hold back when they grow. */
  get bufferedBytes(): number {
    return this.#current?.connection.channel.bufferedBytes ?? 0
  }

  /** Why the link is, or last was, down. */
  get lastError(): RpcError | undefined {
    return this.#lastError
  }

  /** Typed calls of one service over this link. Closing such a client closes nothing: the link is shared. */
  client<M extends Methods>(service: Service<M>): Client<M> {
    return clientOf(service, this, () => undefined)
  }

  /** Takes other addresses from the next attempt on; a connection that is up stays. */
  setAddresses(addresses: Address | readonly Address[]): void {
    this.#addresses = listOf(addresses)
    if (this.#state !== 'down' || this.#isClosed) return
    this.#timer?.cancel()
    void this.#connect()
  }

  /** Gives up the connection, and dials anew: what is in flight fails with `executed: 'unknown'`. Nothing happens to a link that is not up. */
  reset(why: string): void {
    this.#current?.connection.abort(new RpcError('CLOSED', why, { executed: 'unknown' }))
  }

  /**
   * Resolves when the link is up.
   *
   * @throws {RpcError} `UNREACHABLE` when it is not within `timeout`, or why the server refuses us, or `CLOSED`
   */
  async ready(options: WaitOptions = {}): Promise<void> {
    if (this.#current !== undefined) return
    const timeout = options.timeout ?? this.#limits.handshakeMs
    await this.#waiting.add('the link', {
      timeout,
      deadline: this.#clock.now() + timeout,
      signal: options.signal,
    })
  }

  /** Ends the link and fails what is in flight with `CLOSED`. */
  close(): void {
    if (this.#isClosed) return
    this.#isClosed = true
    this.#attempt?.abort(new RpcError('CLOSED', 'the link was closed'))
    this.#timer?.cancel()
    const error = new RpcError('CLOSED', 'the link was closed')
    this.#lastError = error
    this.#waiting.failAll(error)
    for (const connection of [...this.#leaving, ...(this.#current === undefined ? [] : [this.#current])])
      connection.connection.farewell(new RpcError('CLOSED', 'the link was closed', { executed: 'unknown' }))
    this.#deadlines.clear()
    this.#setState('down', error)
  }

  [Symbol.dispose](): void {
    this.close()
  }

  call(method: NamedMethod, request: unknown, options: UnaryOptions<never> = {}): Promise<unknown> {
    return new Promise((resolve, reject) => {
      const encoded = (method.method as UnaryMethod<unknown, unknown>).request.encode(request)
      // The caller may reuse its bytes while the call waits for a connection.
      const body = this.#current === undefined ? encoded.slice() : encoded
      const now = this.#clock.now()
      const timeout = options.timeout ?? this.#limits.callTimeoutMs
      const call = new PendingCall(method, body, now + timeout, timeout, resolve, reject)
      const { signal, onPart } = options
      call.onPart = onPart as ((part: unknown) => void) | undefined
      if (signal?.aborted === true)
        throw new RpcError('CANCELLED', `${method.label}: cancelled by the caller`, { cause: signal.reason })
      if (signal !== undefined) call.cancelOn(signal)
      this.#deadlines.add(call, call.deadline)
      if (this.#current !== undefined) this.#current.call(call, now)
      else this.#waiting.addCall(call, this.#hopeless())
    })
  }

  notify(method: NamedMethod, message: unknown): void {
    const body = (method.method as NotificationMethod<unknown>).message.encode(message)
    this.#current?.notify(method, body)
  }

  async openStream(method: NamedMethod, request: unknown, signal?: AbortSignal): Promise<StreamReader> {
    const body = (method.method as StreamMethod<unknown, unknown>).request.encode(request)
    await this.ready({ timeout: this.#limits.callTimeoutMs, ...(signal === undefined ? {} : { signal }) })
    if (this.#current === undefined)
      throw new RpcError('CLOSED', `${method.label}: the connection broke at once`)
    return this.#current.stream(method, body)
  }

  /** Why no connection will come, if so. */
  #hopeless(): RpcError | undefined {
    const error = this.#lastError
    if (error === undefined) return undefined
    const isOver = this.#isClosed || (this.#options.reconnect === false && this.#state === 'down')
    return isOver || isForGood(error) ? error : undefined
  }

  async #connect(): Promise<void> {
    if (this.#isDialling || this.#current !== undefined || this.#isClosed) return
    this.#isDialling = true
    this.#setState('connecting')
    const address = this.#addresses[this.#attempts++ % this.#addresses.length] ?? ''
    const attempt = (this.#attempt ??= new AbortController())
    try {
      const connection = await dial(address, this.#dialOptions, attempt)
      this.#isDialling = false
      this.#attempt = null
      this.#onUp(connection)
    } catch (thrown) {
      this.#isDialling = false
      if (attempt.signal.aborted) this.#attempt = null
      this.#onDown(asRpcError(thrown))
    }
  }

  #onUp(connection: ClientConnection): void {
    if (this.#isClosed || connection.connection.isOver) {
      connection.connection.farewell(undefined)
      this.#onDown(new RpcError('CLOSED', 'the connection broke at once'))
      return
    }
    this.#backoff.reset()
    this.#lastError = undefined
    // The next attempt tries first what has just worked.
    this.#attempts += this.#addresses.length - 1
    this.#current = connection
    this.#setState('up')
    this.#waiting.sendAll(connection, this.#clock.now())
  }

  #onDown(error: RpcError): void {
    if (this.#isClosed) return
    this.#lastError = error
    this.#setState('down', error)
    if (this.#options.reconnect === false || isForGood(error)) this.#waiting.failAll(error)
    if (this.#options.reconnect === false) return
    const isRoundOver = this.#attempts % this.#addresses.length === 0
    const wait = isForGood(error) ? this.#backoff.nextAfterRefusal() : isRoundOver ? this.#backoff.next() : 0
    this.#timer = this.#clock.setTimer(wait, () => void this.#connect(), { keepAlive: true })
  }

  #onGoaway(connection: ClientConnection, error: RpcError): void {
    if (connection !== this.#current) return
    this.#current = undefined
    this.#leaving.add(connection)
    this.#onDown(error)
  }

  #onEnd(connection: ClientConnection, error: RpcError | undefined): void {
    this.#leaving.delete(connection)
    if (connection !== this.#current) return
    this.#current = undefined
    this.#onDown(error ?? new RpcError('CLOSED', 'the server closed the connection'))
  }

  #setState(state: LinkState, error?: RpcError): void {
    if (state === this.#state && error === undefined) return
    this.#state = state
    this.#options.onState?.(state, error)
  }
}

function listOf(addresses: Address | readonly Address[]): readonly Address[] {
  const list = typeof addresses === 'string' ? [addresses] : addresses
  if (list.length === 0) throw new RpcError('BAD_REQUEST', 'a link needs an address')
  return list
}

function asRpcError(thrown: unknown): RpcError {
  const error = toError(thrown)
  return error instanceof RpcError ? error : new RpcError('UNREACHABLE', error.message, { cause: error })
}

import type { Clock, Milliseconds } from './clock.ts'
import type { Connection } from './connection.ts'
import { SeenIds } from './duplicates.ts'
import { ProtocolError, RpcError, toError } from './errors.ts'
import type { PeerInfo } from './handshake.ts'
import { IdTable } from './id-table.ts'
import type { Message, NotifyMessage, OpenMessage, RequestMessage, WireError } from './messages.ts'
import { writeEnd, writeFailure, writeItem, writePart, writeResponse, writeStatus } from './protocol.ts'
import type { ServedMethod } from './registry.ts'
import { ServerCall, type CallPort } from './server-call.ts'
import type { ServerShared } from './server-shared.ts'
import type { StreamMethod, UnaryMethod } from './service.ts'
import { StreamWriter, type ItemPort } from './stream-writer.ts'
import { handlerError, wireError } from './wire-error.ts'

export interface ServerCallsOptions {
  readonly connection: Connection
  readonly shared: ServerShared
  readonly peer: PeerInfo
  /** Largest body that both ends take. */
  readonly bodyBytesMax: number
  /** Called after {@link ServerCalls.drain}, once nothing is in flight. */
  readonly onDrained: () => void
}

/** The calls of one connection whose handshake is done: runs handlers, sends what they give. */
export class ServerCalls implements ItemPort, CallPort {
  readonly peer: PeerInfo
  readonly clock: Clock
  readonly bodyBytesMax: number
  readonly #options: ServerCallsOptions
  readonly #connection: Connection
  readonly #shared: ServerShared
  readonly #calls = new IdTable<ServerCall>()
  readonly #streams = new Map<number, StreamWriter>()
  readonly #seen = new SeenIds()
  #isDraining = false

  constructor(options: ServerCallsOptions) {
    this.#options = options
    this.#connection = options.connection
    this.#shared = options.shared
    this.peer = options.peer
    this.clock = options.shared.clock
    this.bodyBytesMax = options.bodyBytesMax
  }

  /** Calls and streams whose handlers have not ended. */
  get inFlight(): number {
    return this.#calls.size + this.#streams.size
  }

  onMessage(message: Message): void {
    switch (message.kind) {
      case 'request':
        this.#onRequest(message)
        return
      case 'notify':
        this.#onNotify(message)
        return
      case 'open':
        this.#onOpen(message)
        return
      case 'cancel':
        this.#onCancel(message.id)
        return
      case 'credit':
        this.#streams.get(message.id)?.onCredit(message.total)
        return
      case 'query':
        this.#onQuery(message.id, message.total)
        return
      case 'goaway':
        return // it ends by itself
      default:
        throw new ProtocolError(`a ${message.kind} from a client`)
    }
  }

  /** Refuses new calls and ends streams; calls go on. */
  drain(reason: RpcError): void {
    this.#isDraining = true
    for (const stream of [...this.#streams.values()]) {
      this.#sendError(stream.call.id, wireError(reason.code, reason.message, 'unknown'))
      stream.stop(reason)
      this.#streams.delete(stream.call.id)
    }
    this.#endIfDrained()
  }

  /** The connection is gone: nothing is sent any more. */
  abandonAll(reason: RpcError): void {
    for (const call of this.#calls.values()) {
      this.#shared.deadlines.remove(call)
      call.abandon(reason)
    }
    for (const stream of this.#streams.values()) stream.stop(reason)
    this.#calls.clear()
    this.#streams.clear()
  }

  sendItem(call: ServerCall, sequence: number, body: Uint8Array): void {
    this.#checkSize(body)
    writeItem(this.#connection.begin(), call.id, sequence, body)
    this.#connection.commit(`${call.method.label} item`)
  }

  sendPart(call: ServerCall, value: unknown): void {
    const body = (call.method.method as UnaryMethod<unknown, unknown>).response.encode(value)
    this.#checkSize(body)
    writePart(this.#connection.begin(), call.id, body)
    this.#connection.commit(`${call.method.label} part`)
  }

  sendEnd(call: ServerCall, count: number): void {
    writeEnd(this.#connection.begin(), call.id, count)
    this.#connection.commit(`${call.method.label} end`)
  }

  sendFailure(call: ServerCall, thrown: unknown): void {
    this.#shared.counters.failures++
    const isTooLarge = thrown instanceof TooLarge
    this.#sendError(
      call.id,
      isTooLarge ? wireError('TOO_LARGE', thrown.message, 'yes') : handlerError(thrown),
    )
  }

  #onRequest(message: RequestMessage): void {
    const served = this.#admit(message, 'unary')
    if (served === undefined) return
    this.#shared.counters.calls++
    const { request } = served.named.method as UnaryMethod<unknown, unknown>
    const call = this.#newCall(message.id, served, message.timeout)
    let decoded: unknown
    try {
      decoded = request.decode(message.body)
    } catch (thrown) {
      this.#sendError(call.id, badRequest(thrown))
      return
    }
    try {
      const result = served.handler(decoded, call)
      if (isPromise(result)) this.#await(call, result)
      else this.#reply(call, result)
    } catch (thrown) {
      this.sendFailure(call, thrown)
    }
  }

  #await(call: ServerCall, result: PromiseLike<unknown>): void {
    this.#calls.add(call)
    this.#shared.deadlines.add(call, call.deadline)
    result.then(
      (value) => {
        if (!call.isAbandoned) this.#reply(call, value)
        this.#settle(call)
      },
      (thrown: unknown) => {
        if (!call.isAbandoned) this.sendFailure(call, thrown)
        this.#settle(call)
      },
    )
  }

  #reply(call: ServerCall, value: unknown): void {
    let body: Uint8Array
    try {
      body = (call.method.method as UnaryMethod<unknown, unknown>).response.encode(value)
      this.#checkSize(body)
    } catch (thrown) {
      this.sendFailure(call, thrown)
      return
    }
    writeResponse(this.#connection.begin(), call.id, body)
    this.#connection.commit(call.method.label)
  }

  #settle(call: ServerCall): void {
    this.#calls.delete(call)
    this.#shared.deadlines.remove(call)
    if (this.#isDraining) this.#endIfDrained()
  }

  #onNotify(message: NotifyMessage): void {
    const served = this.#shared.registry.get(message.method)
    // Nobody waits for an answer: what is not for this server is dropped.
    if (served?.named.method.kind !== 'notification' || !this.#isAllowed(served)) return
    const { counters } = this.#shared
    counters.notifications++
    const call = this.#newCall(0, served, 0)
    try {
      const decoded = served.named.method.message.decode(message.body)
      const result = served.handler(decoded, call)
      if (isPromise(result)) result.then(undefined, () => counters.failures++)
    } catch {
      counters.failures++
    }
  }

  #onOpen(message: OpenMessage): void {
    const served = this.#admit(message, 'stream')
    if (served === undefined) return
    this.#shared.counters.streams++
    const call = this.#newCall(message.id, served, 0)
    const writer = new StreamWriter(call, this, message.credit)
    let items: AsyncIterable<unknown>
    try {
      const decoded = (served.named.method as StreamMethod<unknown, unknown>).request.decode(message.body)
      items = served.handler(decoded, call) as AsyncIterable<unknown>
    } catch (thrown) {
      this.#sendError(call.id, thrown instanceof ProtocolError ? badRequest(thrown) : handlerError(thrown))
      return
    }
    this.#streams.set(call.id, writer)
    void writer.pump(items).then(() => {
      this.#streams.delete(call.id)
      if (this.#isDraining) this.#endIfDrained()
    })
  }

  #onCancel(id: number): void {
    const reason = new RpcError('CANCELLED', 'the caller does not wait any more')
    const call = this.#calls.get(id)
    if (call !== undefined) {
      this.#shared.deadlines.remove(call)
      call.abandon(reason)
    }
    this.#streams.get(id)?.stop(reason)
  }

  #onQuery(id: number, total: number): void {
    const stream = this.#streams.get(id)
    if (stream === undefined) {
      this.#sendError(id, wireError('GAP', 'the server has no such stream any more', 'unknown'))
      return
    }
    stream.onCredit(total)
    writeStatus(this.#connection.begin(), id, stream.sent)
    this.#connection.commit('status')
  }

  /** @returns the method, when there is one and this peer may call it now; otherwise the peer has been told */
  #admit(message: RequestMessage | OpenMessage, kind: 'unary' | 'stream'): ServedMethod | undefined {
    if (this.#seen.seen(message.id)) return undefined
    const served = this.#shared.registry.get(message.method)
    if (served?.named.method.kind !== kind)
      this.#sendError(message.id, wireError('NO_SUCH_METHOD', 'the server has no such method'))
    else if (!this.#isAllowed(served))
      this.#sendError(message.id, wireError('UNAUTHORISED', `not for a ${this.peer.role}`))
    else if (this.#isDraining) this.#sendError(message.id, wireError('CLOSED', 'the server is closing'))
    else if (this.inFlight >= this.#shared.limits.callsInFlightMax)
      this.#sendError(message.id, wireError('BUSY', 'too many calls in flight on this connection'))
    else return served
    return undefined
  }

  #newCall(id: number, { named }: ServedMethod, timeout: Milliseconds): ServerCall {
    return new ServerCall(id, named, timeout, this)
  }

  #isAllowed({ roles }: ServedMethod): boolean {
    return roles === undefined || roles.includes(this.peer.role)
  }

  #checkSize(body: Uint8Array): void {
    const { bodyBytesMax } = this
    if (body.length > bodyBytesMax)
      throw new TooLarge(
        `${String(body.length)} bytes, more than the ${String(bodyBytesMax)} that fit a message`,
      )
  }

  #sendError(id: number, error: WireError): void {
    writeFailure(this.#connection.begin(), id, error)
    this.#connection.commit('failure')
  }

  #endIfDrained(): void {
    if (this.inFlight === 0) this.#options.onDrained()
  }
}

/** What a handler gave does not fit a message. */
class TooLarge extends Error {}

function badRequest(thrown: unknown): WireError {
  return wireError('BAD_REQUEST', `the request makes no sense: ${toError(thrown).message}`)
}

function isPromise(value: unknown): value is PromiseLike<unknown> {
  return (
    typeof value === 'object' && value !== null && typeof (value as { then?: unknown }).then === 'function'
  )
}

import type { Milliseconds } from './clock.ts'
import type { PendingCall } from './calls.ts'
import { Connection, type ConnectionOptions, type ConnectionOwner } from './connection.ts'
import type { Deadlines } from './deadlines.ts'
import { ProtocolError, RpcError } from './errors.ts'
import type { PeerInfo } from './handshake.ts'
import { IdTable } from './id-table.ts'
import type { Message, Welcome } from './messages.ts'
import { writeCancel, writeCredit, writeNotify, writeOpen, writeQuery, writeRequest } from './protocol.ts'
import type { NamedMethod, TraceSaid } from './service.ts'
import { StreamReader, type StreamPort } from './stream-reader.ts'
import { fromWire } from './wire-error.ts'

/** So many keep-alive periods without a sign of life mean that nobody is there. */
const SILENT_PERIODS_MAX = 3

export interface ClientConnectionOptions extends Omit<ConnectionOptions, 'owner' | 'isDialler'> {
  readonly deadlines: Deadlines
  /** Before the handshake is done: its answer. */
  readonly onAnswer: (answer: Welcome | RpcError) => void
  /** The server takes no new calls here. */
  readonly onGoaway: (connection: ClientConnection, error: RpcError) => void
  readonly onEnd: (connection: ClientConnection, error: RpcError | undefined) => void
}

/** The calling end of one connection. */
export class ClientConnection implements ConnectionOwner, StreamPort {
  readonly connection: Connection
  readonly #options: ClientConnectionOptions
  readonly #calls = new IdTable<PendingCall>()
  /** Bytes of their requests. */
  #callBytes = 0
  readonly #streams = new Map<number, StreamReader>()
  #peer: PeerInfo | null = null
  /** Largest body that both ends take; 0 before the handshake is done. */
  bodyBytesMax = 0
  #nextId = 1
  /** Why the server takes no new calls here. */
  #farewell: RpcError | undefined
  #stopKeepAlive: () => void = () => undefined

  constructor(options: ClientConnectionOptions) {
    this.#options = options
    const { channel, clock, limits, trace, nodeId } = options
    this.connection = new Connection({ channel, isDialler: true, clock, limits, trace, nodeId, owner: this })
  }

  /** Who answered; null before the handshake is done. */
  get peer(): PeerInfo | null {
    return this.#peer
  }

  /** Calls and streams that have not ended. */
  get inFlight(): number {
    return this.#calls.size + this.#streams.size
  }

  /** Accepts the server's answer: calls may go. */
  open(welcome: Welcome): void {
    const { role, clusterId, nodeId, incarnation, connectionId } = welcome
    const { remoteAddress, certificate } = this.connection.channel
    this.#peer = { role, clusterId, nodeId, incarnation, connectionId, remoteAddress, certificate }
    this.bodyBytesMax = Math.min(welcome.messageBytesMax, this.#options.limits.messageBytesMax)
    this.connection.open(connectionId, nodeId === '' ? remoteAddress : nodeId)
    this.#startKeepAlive()
  }

  call(call: PendingCall, now: Milliseconds): void {
    const refusal = this.#sizeError(call.method, call.body) ?? this.#busyError(call)
    if (refusal !== undefined) {
      this.#options.deadlines.remove(call)
      call.fail(refusal)
      return
    }
    const id = this.#nextId++
    call.id = id
    call.holder = this
    this.#calls.add(call)
    this.#callBytes += call.body.length
    const timeout = call.deadline === Infinity ? 0 : Math.max(Math.ceil(call.deadline - now), 1)
    writeRequest(this.connection.begin(), id, call.method.number, timeout, call.body)
    this.connection.commitSaid(call.method, call.body)
  }

  notify(method: NamedMethod, body: Uint8Array): void {
    const tooLarge = this.#sizeError(method, body)
    if (tooLarge !== undefined) throw tooLarge
    writeNotify(this.connection.begin(), method.number, body)
    this.connection.commitSaid(method, body)
  }

  stream(method: NamedMethod, body: Uint8Array): StreamReader {
    const refusal =
      this.#sizeError(method, body) ??
      (this.inFlight >= this.#options.limits.callsInFlightMax ? busy(method) : undefined)
    if (refusal !== undefined) throw refusal
    const id = this.#nextId++
    const reader = new StreamReader(id, method, this, this.#options.limits.streamWindowBytes)
    this.#streams.set(id, reader)
    writeOpen(this.connection.begin(), id, method.number, reader.grantedBytes, body)
    this.connection.commit(method.label)
    return reader
  }

  release(call: PendingCall | number, cancel = true): void {
    const id = typeof call === 'number' ? call : call.id
    if (typeof call === 'number') this.#streams.delete(id)
    else this.#forget(call)
    if (cancel) {
      writeCancel(this.connection.begin(), id)
      this.connection.commit('cancel')
    }
    this.#leaveIfIdle()
  }

  grant(id: number, total: number): void {
    writeCredit(this.connection.begin(), id, total)
    this.connection.commit('credit')
  }

  onMessage(message: Message): void {
    if (message.kind === 'response') this.#onResponse(message.id, message.body)
    else if (message.kind === 'part') this.#calls.get(message.id)?.part(message.body)
    else if (message.kind === 'item') this.#streams.get(message.id)?.onItem(message)
    else this.#onOther(message)
  }

  onEnd(error: RpcError | undefined): void {
    this.#stopKeepAlive()
    if (this.#peer === null)
      this.#options.onAnswer(error ?? new RpcError('CLOSED', 'it closed the connection'))
    const { remoteAddress } = this.connection.channel
    const reason =
      this.#farewell ??
      error ??
      new RpcError('CLOSED', `the connection to ${remoteAddress} was closed`, { executed: 'unknown' })
    for (const call of this.#calls.values()) {
      this.#options.deadlines.remove(call)
      call.fail(lost(call.method, reason))
    }
    this.#calls.clear()
    this.#callBytes = 0
    for (const stream of [...this.#streams.values()])
      stream.fail(new RpcError(reason.code, reason.message, { executed: 'unknown', cause: reason }), {
        cancel: false,
      })
    this.#options.onEnd(this, error)
  }

  describe(message: Message): TraceSaid {
    const isReply = message.kind === 'response' || message.kind === 'failure' || message.kind === 'part'
    const label = isReply ? this.#calls.get(message.id)?.method.label : undefined
    if (label === undefined) return { type: message.kind }
    return { type: `${label} ${message.kind === 'response' ? 'reply' : message.kind}` }
  }

  #onResponse(id: number, body: Uint8Array): void {
    const call = this.#calls.get(id)
    if (call === undefined) return // came twice, or too late
    this.#forget(call)
    call.succeed(body)
    if (this.#farewell !== undefined) this.#leaveIfIdle()
  }

  /** Sent away, and nothing in flight any more: the server waits for this. */
  #leaveIfIdle(): void {
    if (this.#farewell !== undefined && this.inFlight === 0) this.connection.farewell(undefined)
  }

  #onOther(message: Message): void {
    switch (message.kind) {
      case 'failure': {
        const call = this.#calls.get(message.id)
        if (call !== undefined) {
          this.#forget(call)
          call.fail(fromWire(message.error, call.method.label))
        } else this.#streams.get(message.id)?.fail(fromWire(message.error, 'the stream'), { cancel: false })
        this.#leaveIfIdle()
        return
      }
      case 'end':
        this.#streams.get(message.id)?.onEnd(message.count)
        return
      case 'status':
        this.#streams.get(message.id)?.onStatus(message.sent)
        return
      case 'goaway':
        this.#farewell = fromWire(message.error, 'the server sends us away')
        this.#options.onGoaway(this, this.#farewell)
        this.#leaveIfIdle()
        return
      case 'welcome':
        if (this.#peer === null) this.#options.onAnswer(message.welcome)
        return // else it came twice
      case 'refuse':
        if (this.#peer === null) this.#options.onAnswer(fromWire(message.error, 'the server refused us'))
        return
      default:
        throw new ProtocolError(`a ${message.kind} from a server`)
    }
  }

  #startKeepAlive(): void {
    const { clock, limits } = this.#options
    let { received, sent } = this.connection
    let silentPeriods = 0
    const onPeriod = (): void => {
      const { connection } = this
      silentPeriods = connection.received === received ? silentPeriods + 1 : 0
      if (silentPeriods >= SILENT_PERIODS_MAX) {
        const message = `${connection.channel.remoteAddress} gave no sign of life for ${String(silentPeriods * limits.keepAliveMs)} ms`
        connection.abort(new RpcError('TIMEOUT', message, { executed: 'unknown' }))
        return
      }
      for (const stream of this.#streams.values()) if (stream.takeQuiet()) this.#ask(stream)
      if (silentPeriods > 0 || connection.sent === sent) connection.ping()
      ;({ received, sent } = connection)
      timer = clock.setTimer(limits.keepAliveMs, onPeriod)
    }
    let timer = clock.setTimer(limits.keepAliveMs, onPeriod)
    this.#stopKeepAlive = () => {
      timer.cancel()
    }
  }

  /** Repeats the credit, should it have been lost, and asks how far the stream is, should items have been. */
  #ask(stream: StreamReader): void {
    writeQuery(this.connection.begin(), stream.id, stream.grantedBytes)
    this.connection.commit('query')
  }

  #forget(call: PendingCall): void {
    if (this.#calls.delete(call)) this.#callBytes -= call.body.length
    this.#options.deadlines.remove(call)
  }

  #busyError({ method, body }: PendingCall): RpcError | undefined {
    const { callsInFlightMax, callBytesInFlightMax } = this.#options.limits
    const tooMuch = this.#callBytes > 0 && this.#callBytes + body.length > callBytesInFlightMax
    return tooMuch || this.inFlight >= callsInFlightMax ? busy(method) : undefined
  }

  #sizeError(method: NamedMethod, body: Uint8Array): RpcError | undefined {
    if (body.length <= this.bodyBytesMax) return undefined
    const size = `${String(body.length)} bytes, more than the ${String(this.bodyBytesMax)} that the server takes`
    return new RpcError('TOO_LARGE', `${method.label}: a message of ${size}`)
  }
}

function busy(method: NamedMethod): RpcError {
  return new RpcError('BUSY', `${method.label}: too much in flight on this connection`)
}

/** The error of a call whose connection ended under it. */
function lost(method: NamedMethod, reason: RpcError): RpcError {
  return new RpcError(reason.code, `${method.label}: ${reason.message}`, {
    executed: 'unknown',
    cause: reason,
  })
}

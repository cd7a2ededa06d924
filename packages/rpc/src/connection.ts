/**
 * What both ends of a connection do: count and trace messages, answer pings, bound what is queued, say why they go. Who
 * calls and who answers is in client-connection.ts and server-connection.ts.
 */
import { ByteWriter } from './bytes.ts'
import type { Clock } from './clock.ts'
import { ProtocolError, RpcError, toError } from './errors.ts'
import { MESSAGE_OVERHEAD_BYTES, type Limits } from './limits.ts'
import { messageId } from './message-id.ts'
import type { Message } from './messages.ts'
import { decodeMessage, writeGoaway, writePing, writePong } from './protocol.ts'
import { saidBy, type NamedMethod, type TraceSaid } from './service.ts'
import type { TraceSink } from './trace.ts'
import type { Channel } from './transport.ts'
import { wireError } from './wire-error.ts'

/** How long a peer that is being dropped may take to read why. */
const FAREWELL_MS = 5_000

export interface ConnectionOptions {
  readonly channel: Channel
  readonly isDialler: boolean
  readonly clock: Clock
  readonly limits: Limits
  readonly trace: TraceSink | undefined
  /** Names this end in the trace. */
  readonly nodeId: string
  /** The role-specific half. */
  readonly owner: ConnectionOwner
}

export interface ConnectionOwner {
  /** Everything but pings. @throws {ProtocolError} when the message makes no sense now: the connection ends */
  onMessage(message: Message): void
  /** Called once. `error` is undefined after an orderly close. */
  onEnd(error: RpcError | undefined): void
  /** For the trace; with a `type`. */
  describe(message: Message): TraceSaid
}

export class Connection {
  readonly channel: Channel
  readonly #options: ConnectionOptions
  readonly #trace: TraceSink | undefined
  readonly #outputBytesMax: number
  readonly #writer = new ByteWriter(1024)
  /** Agreed in the handshake; '' before. */
  id: string
  /** The other end, for the trace. */
  peerName: string
  #sent = 0
  #received = 0
  #isOver = false
  #isFailing = false
  #reason: RpcError | undefined

  constructor(options: ConnectionOptions) {
    this.#options = options
    this.channel = options.channel
    this.#trace = options.trace?.messages === false ? undefined : options.trace
    this.#outputBytesMax = options.limits.outputBytesMax
    this.id = options.channel.id ?? ''
    this.peerName = options.channel.remoteAddress
    // Nobody is trusted with memory before the handshake.
    options.channel.limitMessages?.(options.limits.handshakeBytesMax)
    options.channel.receive(this.#onBytes)
    void options.channel.closed.then(({ error }) => {
      this.#end(error)
    })
  }

  /** Messages received so far: a change is a sign of life. */
  get received(): number {
    return this.#received
  }

  get sent(): number {
    return this.#sent
  }

  get isOver(): boolean {
    return this.#isOver
  }

  /** The handshake is done: from now on messages may have their full size. */
  open(id: string, peerName: string): void {
    this.id = id
    this.peerName = peerName
    this.channel.limitMessages?.(this.#options.limits.messageBytesMax + MESSAGE_OVERHEAD_BYTES)
  }

  /** A writer for the next message; {@link commit} sends it. */
  begin(): ByteWriter {
    this.#writer.reset()
    return this.#writer
  }

  /** Sends what was written. @param label what it is, for the trace */
  commit(label: string): void {
    if (this.#isOver) return
    this.#sent++
    if (this.#trace !== undefined) this.#traceSend(this.#trace, { type: label })
    this.#send()
  }

  /** The same for what has a method, which may say in the trace what it holds. */
  commitSaid(method: NamedMethod, body: Uint8Array): void {
    if (this.#isOver) return
    this.#sent++
    if (this.#trace !== undefined) this.#traceSend(this.#trace, saidBy(method, body))
    this.#send()
  }

  #send(): void {
    this.channel.send(this.#writer.view())
    if (this.channel.bufferedBytes > this.#outputBytesMax) this.#dropSlowPeer()
  }

  ping(): void {
    writePing(this.begin())
    this.commit('ping')
  }

  /** Tells the peer to make no new calls here. */
  goaway(error: RpcError): void {
    writeGoaway(this.begin(), wireError(error.code, error.message, error.executed, error.remoteCode))
    this.commit('goaway')
  }

  /** Tells the peer why, lets it read that for a while, and ends. @param error what this end makes of it */
  fail(error: RpcError): void {
    if (this.#isOver || this.#isFailing) return
    this.#isFailing = true
    this.goaway(error)
    this.farewell(error)
  }

  /** Ends once everything queued is sent, or after some seconds: then the peer is not reading. */
  farewell(error: RpcError | undefined): void {
    if (this.#reason !== undefined) return
    this.#reason = error
    const { channel, clock } = this.#options
    const timer = clock.setTimer(FAREWELL_MS, () => {
      channel.close(error ?? new RpcError('SLOW_PEER', `${channel.remoteAddress} did not read to the end`))
    })
    void channel.closed.then(() => {
      timer.cancel()
    })
    channel.close()
    this.#end(error)
  }

  /** Ends at once. */
  abort(error: RpcError): void {
    this.channel.close(error)
    this.#end(error)
  }

  readonly #onBytes = (bytes: Uint8Array): void => {
    if (this.#isOver) return
    this.#received++
    try {
      const message = decodeMessage(bytes)
      if (this.#trace !== undefined) this.#traceReceive(this.#trace, message, bytes.length)
      if (message.kind === 'ping') {
        writePong(this.begin())
        this.commit('pong')
      } else if (message.kind !== 'pong') this.#options.owner.onMessage(message)
    } catch (thrown) {
      this.#onBadMessage(toError(thrown))
    }
  }

  #onBadMessage(error: Error): void {
    if (!(error instanceof ProtocolError)) throw error
    const { remoteAddress } = this.channel
    this.fail(
      new ProtocolError(`${remoteAddress} sent bytes that make no sense: ${error.message}`, { cause: error }),
    )
  }

  #dropSlowPeer(): void {
    const { remoteAddress, bufferedBytes } = this.channel
    this.fail(
      new RpcError(
        'SLOW_PEER',
        `${remoteAddress} reads too slowly: ${String(bufferedBytes)} bytes wait for it`,
        {
          executed: 'unknown',
        },
      ),
    )
  }

  #end(error: Error | undefined): void {
    if (this.#isOver) return
    this.#isOver = true
    const reason = this.#reason ?? error
    this.#options.owner.onEnd(
      reason === undefined || reason instanceof RpcError
        ? reason
        : new RpcError('CLOSED', reason.message, { cause: reason }),
    )
  }

  #traceSend(trace: TraceSink, said: TraceSaid): void {
    trace({
      ...said,
      n: this.#options.nodeId,
      k: 'send',
      m: messageId(this.id, this.#options.isDialler, this.#sent),
      to: this.peerName,
      bytes: this.#writer.length,
    })
  }

  #traceReceive(trace: TraceSink, message: Message, bytes: number): void {
    const sequence = this.channel.sequence ?? this.#received
    trace({
      ...this.#options.owner.describe(message),
      n: this.#options.nodeId,
      k: 'recv',
      m: messageId(this.id, !this.#options.isDialler, sequence),
      from: this.peerName,
      bytes,
    })
  }
}

import { Connection, type ConnectionOwner } from './connection.ts'
import { ProtocolError, RpcError } from './errors.ts'
import type { PeerInfo } from './handshake.ts'
import type { Hello, Message, WireError } from './messages.ts'
import { PROTOCOL_VERSION, writeRefuse, writeWelcome } from './protocol.ts'
import { ServerCalls } from './server-calls.ts'
import type { ServerShared } from './server-shared.ts'
import { saidBy, type TraceSaid } from './service.ts'
import type { Channel } from './transport.ts'

/** How long a client that has been sent away, and has no calls any more, may take to leave. */
const LEAVE_MS = 500

/** The answering end of one connection: handshake, idleness, end. Its calls are in server-calls.ts. */
export class ServerConnection implements ConnectionOwner {
  readonly connection: Connection
  readonly #shared: ServerShared
  readonly #onEnd: (connection: ServerConnection) => void
  #calls: ServerCalls | undefined
  #isGreeted = false
  #greetingBytes = 0
  #isDraining = false
  #stopTimer: () => void

  constructor(channel: Channel, shared: ServerShared, onEnd: (connection: ServerConnection) => void) {
    this.#shared = shared
    this.#onEnd = onEnd
    const { clock, limits, trace, identity } = shared
    const { nodeId } = identity
    this.connection = new Connection({ channel, isDialler: false, clock, limits, trace, nodeId, owner: this })
    const timer = clock.setTimer(limits.handshakeMs, () => {
      shared.counters.refused++
      const message = `${channel.remoteAddress} did not shake hands within ${String(limits.handshakeMs)} ms`
      this.connection.abort(new RpcError('TIMEOUT', message))
    })
    this.#stopTimer = () => {
      timer.cancel()
    }
  }

  /** It has shaken hands, and may call. */
  get isWelcome(): boolean {
    return this.#calls !== undefined
  }

  get inFlight(): number {
    return this.#calls?.inFlight ?? 0
  }

  /** Ends it without a word, or hurries a farewell that the other end does not take. */
  turnOut(error: RpcError): void {
    if (!this.connection.isOver) this.#shared.counters.refused++
    this.connection.abort(error)
  }

  /** Turns the peer away before or in its handshake. */
  refuse(error: WireError): void {
    this.#shared.counters.refused++
    this.#isGreeted = true
    writeRefuse(this.connection.begin(), error)
    this.connection.commit('refuse')
    this.connection.farewell(new RpcError(error.code, error.message, { remoteCode: error.remoteCode }))
  }

  /** Takes no new calls, ends streams, and ends when the calls have. */
  drain(): void {
    if (this.#isDraining) return
    this.#isDraining = true
    const reason = new RpcError('CLOSED', 'the server is closing')
    if (this.#calls === undefined) this.connection.farewell(reason)
    else {
      this.connection.goaway(reason)
      this.#calls.drain(reason)
    }
  }

  /** Ends now, whatever is in flight. */
  end(): void {
    this.connection.farewell(new RpcError('CLOSED', 'the server was closed'))
  }

  onMessage(message: Message): void {
    if (this.#calls !== undefined && message.kind !== 'hello') this.#calls.onMessage(message)
    else this.#onGreeting(message)
  }

  onEnd(error: RpcError | undefined): void {
    const { counters } = this.#shared
    this.#stopTimer()
    if (error?.code === 'PROTOCOL') counters.protocolErrors++
    if (error?.code === 'SLOW_PEER') counters.slowPeers++
    this.#calls?.abandonAll(error ?? new RpcError('CLOSED', 'the connection was closed'))
    this.#onEnd(this)
  }

  describe(message: Message): TraceSaid {
    if (message.kind !== 'request' && message.kind !== 'open' && message.kind !== 'notify')
      return { type: message.kind }
    const named = this.#shared.registry.get(message.method)?.named
    if (named === undefined) return { type: message.kind }
    const isSaid = message.kind === 'notify' || message.kind === 'request'
    return isSaid ? saidBy(named, message.body) : { type: named.label }
  }

  #onGreeting(message: Message): void {
    if (message.kind !== 'hello') throw new ProtocolError(`a ${message.kind} before the handshake`)
    // Said again, as the network may have lost it, or our answer: but not for ever.
    const { token, clusterId, nodeId, incarnation } = message.hello
    this.#greetingBytes += 16 + token.length + clusterId.length + nodeId.length + incarnation.length
    if (this.#greetingBytes > this.#shared.limits.handshakeBytesMax)
      throw new ProtocolError('too much of a handshake')
    if (this.#calls !== undefined) this.#welcome()
    else if (!this.#isGreeted) {
      this.#isGreeted = true
      void this.#greet(message.hello)
    }
  }

  async #greet(hello: Hello): Promise<void> {
    const { connection } = this
    const { remoteAddress, certificate } = connection.channel
    if (connection.id === '') connection.id = this.#shared.newConnectionId()
    const { role, clusterId, nodeId, incarnation } = hello
    const connectionId = connection.id
    const place = { remoteAddress, connectionId, certificate }
    const peer: PeerInfo = { role, clusterId, nodeId, incarnation, ...place }
    const refusal = await this.#shared.admit(hello, peer)
    if (connection.isOver) return
    if (refusal !== null) {
      this.refuse(refusal)
      return
    }
    connection.open(connectionId, nodeId === '' ? remoteAddress : nodeId)
    this.#calls = new ServerCalls({
      connection,
      shared: this.#shared,
      peer,
      bodyBytesMax: Math.min(hello.messageBytesMax, this.#shared.limits.messageBytesMax),
      onDrained: () => {
        this.#awaitLeave()
      },
    })
    this.#welcome()
    this.#watchIdleness()
  }

  /** A client that has been sent away leaves by itself; calls that it made before it knew are refused meanwhile. */
  #awaitLeave(): void {
    this.#stopTimer()
    const timer = this.#shared.clock.setTimer(LEAVE_MS, () => {
      this.connection.farewell(undefined)
    })
    this.#stopTimer = () => {
      timer.cancel()
    }
  }

  #welcome(): void {
    const { identity, limits } = this.#shared
    const { role, clusterId, nodeId, incarnation } = identity
    writeWelcome(this.connection.begin(), {
      version: PROTOCOL_VERSION,
      role,
      clusterId,
      nodeId,
      incarnation,
      connectionId: this.connection.id,
      messageBytesMax: limits.messageBytesMax,
    })
    this.connection.commit('welcome')
  }

  #watchIdleness(): void {
    this.#stopTimer()
    const { clock, limits } = this.#shared
    const { connection } = this
    let { received } = connection
    const onPeriod = (): void => {
      if (connection.received === received) {
        connection.fail(new RpcError('TIMEOUT', `nothing was heard for ${String(limits.idleMs)} ms`))
        return
      }
      ;({ received } = connection)
      timer = clock.setTimer(limits.idleMs, onPeriod)
    }
    let timer = clock.setTimer(limits.idleMs, onPeriod)
    this.#stopTimer = () => {
      timer.cancel()
    }
  }
}

/** One attempt to reach a server: open a channel, shake hands. */
import { pickTransport } from './address.ts'
import { ClientConnection, type ClientConnectionOptions } from './client-connection.ts'
import type { Timer } from './clock.ts'
import type { Connection } from './connection.ts'
import { RpcError, toError } from './errors.ts'
import { checkWelcome, helloOf, type LocalIdentity } from './handshake.ts'
import type { Welcome } from './messages.ts'
import { writeHello } from './protocol.ts'
import type { Address, Transport } from './transport.ts'

/** A hello is said again when it is not answered: the memory network may lose it. Sockets never need that. */
const HELLO_AGAIN_MS = 500

export interface DialOptions extends Omit<ClientConnectionOptions, 'channel' | 'nodeId' | 'onAnswer'> {
  readonly transports: readonly Transport[]
  readonly identity: LocalIdentity
}

/**
 * Connects to `address` and shakes hands, within the limit `handshakeMs`.
 *
 * @param attempt whoever aborts it, with an `RpcError`, ends this; so does the limit
 * @throws {RpcError} `UNREACHABLE`, the reason of a refusal, or that of `attempt`
 */
export async function dial(
  address: Address,
  options: DialOptions,
  attempt: AbortController,
): Promise<ClientConnection> {
  const { clock, limits } = options
  const onTimeout = (): void => {
    const message = `nobody answers at ${address} within ${String(limits.handshakeMs)} ms`
    attempt.abort(new RpcError('UNREACHABLE', message))
  }
  const timer = clock.setTimer(limits.handshakeMs, onTimeout, { keepAlive: true })
  try {
    return await attemptOnce(address, options, attempt.signal)
  } catch (thrown) {
    const error = toError(thrown)
    if (error instanceof RpcError) throw error
    throw new RpcError('UNREACHABLE', `cannot connect to ${address}: ${error.message}`, { cause: error })
  } finally {
    timer.cancel()
  }
}

async function attemptOnce(
  address: Address,
  options: DialOptions,
  signal: AbortSignal,
): Promise<ClientConnection> {
  const { identity, transports, clock, limits, trace, deadlines, onGoaway, onEnd } = options
  const { nodeId } = identity
  const picked = pickTransport(address, transports)
  const channel = await picked.transport.connect(picked.address, signal)
  const answer = new Answer(signal)
  const onAnswer = answer.settle
  // By name: what a spread makes is slow to make, and slow to read.
  const client = new ClientConnection({
    channel,
    clock,
    limits,
    trace,
    nodeId,
    deadlines,
    onAnswer,
    onGoaway,
    onEnd,
  })
  const stopHello = sayHello(client.connection, options)
  try {
    const welcome = await answer.promise
    checkWelcome(welcome, identity, channel.certificate)
    client.open(welcome)
    return client
  } catch (thrown) {
    channel.close(toError(thrown))
    throw thrown
  } finally {
    stopHello()
    answer.stopListening()
  }
}

/** What the server says to a hello; rejected when `signal` aborts before. */
class Answer {
  readonly promise: Promise<Welcome>
  readonly settle: (answer: Welcome | RpcError) => void
  readonly stopListening: () => void

  constructor(signal: AbortSignal) {
    let settle: (answer: Welcome | RpcError) => void = () => undefined
    this.promise = new Promise((resolve, reject) => {
      settle = (answer) => {
        if (answer instanceof RpcError) reject(answer)
        else resolve(answer)
      }
    })
    this.settle = settle
    const onAbort = (): void => {
      settle(signal.reason as RpcError)
    }
    if (signal.aborted) onAbort()
    signal.addEventListener('abort', onAbort)
    this.stopListening = () => {
      signal.removeEventListener('abort', onAbort)
    }
  }
}

/** Says hello until told to stop. */
function sayHello(connection: Connection, options: DialOptions): () => void {
  const { identity, clock, limits } = options
  let timer: Timer | undefined
  const say = (): void => {
    writeHello(connection.begin(), helloOf(identity, limits.messageBytesMax))
    connection.commit('hello')
    timer = clock.setTimer(HELLO_AGAIN_MS, say)
  }
  say()
  return () => timer?.cancel()
}

import type { Milliseconds } from './clock.ts'
import { RpcError } from './errors.ts'

/** Bounds that keep one peer from harming the others. All can be changed where a server or a link is made. */
export interface Limits {
  /** Largest request, response, notification or stream item, encoded, in bytes. */
  readonly messageBytesMax: number
  /** What an end may send before the handshake is done, in bytes. */
  readonly handshakeBytesMax: number
  /** How long a handshake may take, once the channel is open; for a link, how long opening the channel may take too. */
  readonly handshakeMs: Milliseconds
  /** A server ends a connection on which nothing has come for so long; a link's keep-alive prevents it. */
  readonly idleMs: Milliseconds
  /** A link asks for a sign of life when so long nothing came or went, and takes the connection for dead after three times as long. */
  readonly keepAliveMs: Milliseconds
  /** Connections that one listener holds at a time; more are refused with `BUSY`. */
  readonly channelsMax: number
  /** Calls and streams of one connection that wait for their handlers; more are refused with `BUSY`. */
  readonly callsInFlightMax: number
  /**
   * Bytes of requests of one connection that wait for their answers, at the end that calls; more are refused with `BUSY`, one larger goes
   * alone. No more than `outputBytesMax`: a caller that asks too much is told so, and does not break its own connection.
   */
  readonly callBytesInFlightMax: number
  /** Bytes queued for a peer that does not read; with more it is dropped with `SLOW_PEER`. */
  readonly outputBytesMax: number
  /** How many bytes of items a stream may be ahead of its reader. */
  readonly streamWindowBytes: number
  /** Of a unary call that names no timeout. */
  readonly callTimeoutMs: Milliseconds
  /** How long a server that closes lets calls finish. */
  readonly drainMs: Milliseconds
}

export const defaultLimits: Limits = {
  messageBytesMax: 4 * 1024 * 1024,
  handshakeBytesMax: 16 * 1024,
  handshakeMs: 5_000,
  idleMs: 60_000,
  keepAliveMs: 10_000,
  channelsMax: 1_024,
  callsInFlightMax: 8_192,
  callBytesInFlightMax: 16 * 1024 * 1024,
  outputBytesMax: 16 * 1024 * 1024,
  streamWindowBytes: 256 * 1024,
  callTimeoutMs: 10_000,
  drainMs: 5_000,
}

/** What a message may have around its body: numbers, and the texts of a failure, which are cut to fit. */
export const MESSAGE_OVERHEAD_BYTES = 16 * 1024

/** The defaults with the given ones in their place. @throws {RpcError} `BAD_REQUEST` on a limit that is not a positive number */
export function limitsWith(given: Partial<Limits> = {}): Limits {
  for (const [name, value] of Object.entries(given)) {
    if (!(name in defaultLimits))
      throw new RpcError(
        'BAD_REQUEST',
        `there is no limit ${name}: they are ${Object.keys(defaultLimits).join(', ')}`,
      )
    if (!(value > 0))
      throw new RpcError('BAD_REQUEST', `the limit ${name} must be a number above 0, not ${String(value)}`)
  }
  return { ...defaultLimits, ...given }
}

/** Errors of RPC. `code` is stable API; `message` is for people and says what to do. */

export type RpcErrorCode =
  /** Nobody answered at the address before the deadline, or the connection was refused. */
  | 'UNREACHABLE'
  /** Another listener holds the address. */
  | 'ADDRESS_IN_USE'
  /** The address is malformed, or no transport at hand takes its scheme. */
  | 'BAD_ADDRESS'
  /** The deadline passed before the reply came. */
  | 'TIMEOUT'
  /** The caller's signal aborted. */
  | 'CANCELLED'
  /** The channel, the client or the server was closed. */
  | 'CLOSED'
  /** The server has no such service or method. */
  | 'NO_SUCH_METHOD'
  /** The handler threw; `message` is the handler's. */
  | 'HANDLER_FAILED'
  /** A limit of calls in flight was reached: come back later. */
  | 'BUSY'
  /** A message is larger than the limit. */
  | 'TOO_LARGE'
  /** The peer read too slowly and its output buffer was full. */
  | 'SLOW_PEER'
  /** A stream lost an item. */
  | 'GAP'
  /** Token, role or origin does not allow this. */
  | 'UNAUTHORISED'
  /** The handshake was refused: other cluster, other protocol version, a wiped node. */
  | 'REFUSED'
  /** Bytes that make no sense; see {@link ProtocolError}. */
  | 'PROTOCOL'
  /** An option or an argument is not acceptable. */
  | 'BAD_REQUEST'

/** Did the handler run? Only after 'no' may a caller repeat a request that is not idempotent. */
export type Executed = 'no' | 'yes' | 'unknown'

/** A call, a stream or a connection that ended otherwise than it should. */
export class RpcError extends Error {
  override readonly name: string = 'RpcError'
  readonly code: RpcErrorCode
  readonly executed: Executed
  /** The stable code of the error that the handler threw, when `code` is `HANDLER_FAILED` or the peer gave a reason with `REFUSED`. */
  readonly remoteCode: string | undefined
  /** Data that the handler attached to its error (JSON). */
  readonly details: unknown
  constructor(
    code: RpcErrorCode,
    message: string,
    options: ErrorOptions & { executed?: Executed; remoteCode?: string | undefined; details?: unknown } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.code = code
    this.executed = options.executed ?? 'no'
    this.remoteCode = options.remoteCode
    this.details = options.details
  }
}

/** Bytes that are not what the format says. Decoders throw this and nothing else. */
export class ProtocolError extends RpcError {
  override readonly name = 'ProtocolError'
  constructor(message: string, options: ErrorOptions = {}) {
    super('PROTOCOL', message, options)
  }
}

/** Stops the program on a bug: `sentence` is what should have been true. Kept on in production. */
export function assert(condition: boolean, sentence: string): asserts condition {
  if (!condition) throw new Error(`bug: ${sentence} — should hold`)
}

/** What was thrown, as an Error: `catch` gives `unknown`. */
export function toError(thrown: unknown): Error {
  return thrown instanceof Error ? thrown : new Error(String(thrown))
}

import type { Clock, Milliseconds } from './clock.ts'
import { Deadlined } from './deadlines.ts'
import { RpcError } from './errors.ts'
import type { PeerInfo } from './handshake.ts'
import type { Numbered } from './id-table.ts'
import type { CallContext, NamedMethod } from './service.ts'

/** What a call needs of its connection. */
export interface CallPort {
  readonly peer: PeerInfo
  readonly clock: Clock
  readonly bodyBytesMax: number
  /** @throws when it does not fit a message */
  sendPart(call: ServerCall, value: unknown): void
}

/** A call that a handler works on, and what the handler knows of it. */
export class ServerCall extends Deadlined implements CallContext, Numbered<ServerCall> {
  readonly id: number
  sameSlot: ServerCall | undefined
  readonly method: NamedMethod
  readonly #timeout: Milliseconds
  readonly #port: CallPort
  #deadline = 0
  /** Made when the handler asks for it: most never do. */
  #controller: AbortController | undefined
  #reason: RpcError | undefined

  /** @param timeout from now on; 0 means for ever */
  constructor(id: number, method: NamedMethod, timeout: Milliseconds, port: CallPort) {
    super()
    this.id = id
    this.method = method
    this.#timeout = timeout
    this.#port = port
  }

  get peer(): PeerInfo {
    return this.#port.peer
  }

  get responseBytesMax(): number {
    return this.#port.bodyBytesMax
  }

  /** Reckoned when first asked for, by the server itself at the latest when the handler has gone to wait: reading the clock costs. */
  get deadline(): Milliseconds {
    if (this.#deadline === 0)
      this.#deadline = this.#timeout === 0 ? Infinity : this.#port.clock.now() + this.#timeout
    return this.#deadline
  }

  get signal(): AbortSignal {
    this.#controller ??= new AbortController()
    if (this.#reason !== undefined) this.#controller.abort(this.#reason)
    return this.#controller.signal
  }

  /** Nobody waits for the answer any more: none is to be sent. */
  get isAbandoned(): boolean {
    return this.#reason !== undefined
  }

  part(value: unknown): void {
    if (this.#reason === undefined) this.#port.sendPart(this, value)
  }

  abandon(reason: RpcError): void {
    if (this.#reason !== undefined) return
    this.#reason = reason
    this.#controller?.abort(reason)
  }

  override expire(): void {
    this.abandon(new RpcError('TIMEOUT', `${this.method.label}: the caller's deadline has passed`))
  }
}

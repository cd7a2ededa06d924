import type { Clock, Milliseconds } from './clock.ts'
import { Deadlined } from './deadlines.ts'
import { RpcError } from './errors.ts'
import type { PeerInfo } from './handshake.ts'
import type { Numbered } from './id-table.ts'
import type { CallContext, NamedMethod } from './service.ts'

/** A call that a handler works on, and what the handler knows of it. */
export class ServerCall extends Deadlined implements CallContext, Numbered<ServerCall> {
  readonly id: number
  sameSlot: ServerCall | undefined
  readonly method: NamedMethod
  readonly peer: PeerInfo
  readonly #timeout: Milliseconds
  readonly #clock: Clock
  #deadline = 0
  /** Made when the handler asks for it: most never do. */
  #controller: AbortController | undefined
  #reason: RpcError | undefined

  /** @param timeout from now on; 0 means for ever */
  constructor(id: number, method: NamedMethod, peer: PeerInfo, timeout: Milliseconds, clock: Clock) {
    super()
    this.id = id
    this.method = method
    this.peer = peer
    this.#timeout = timeout
    this.#clock = clock
  }

  /** Reckoned when first asked for, by the server itself at the latest when the handler has gone to wait: reading the clock costs. */
  get deadline(): Milliseconds {
    if (this.#deadline === 0)
      this.#deadline = this.#timeout === 0 ? Infinity : this.#clock.now() + this.#timeout
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

  abandon(reason: RpcError): void {
    if (this.#reason !== undefined) return
    this.#reason = reason
    this.#controller?.abort(reason)
  }

  override expire(): void {
    this.abandon(new RpcError('TIMEOUT', `${this.method.label}: the caller's deadline has passed`))
  }
}

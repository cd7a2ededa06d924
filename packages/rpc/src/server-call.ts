import type { Milliseconds } from './clock.ts'
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
  readonly deadline: Milliseconds
  /** Made when the handler asks for it: most never do. */
  #controller: AbortController | undefined
  #reason: RpcError | undefined

  constructor(id: number, method: NamedMethod, peer: PeerInfo, deadline: Milliseconds) {
    super()
    this.id = id
    this.method = method
    this.peer = peer
    this.deadline = deadline
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

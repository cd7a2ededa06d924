import type { Milliseconds } from './clock.ts'
import { Deadlined } from './deadlines.ts'
import { RpcError, toError } from './errors.ts'
import type { Numbered } from './id-table.ts'
import type { NamedMethod, UnaryMethod } from './service.ts'
import { onAbort } from './on-abort.ts'

/** Who holds a call: the link while it waits for a connection, then the connection. */
export interface CallHolder {
  /** The call has ended without a reply: forget it. */
  release(call: PendingCall): void
}

/** A unary call between its start and its end, in whatever way; it ends once. */
export class PendingCall extends Deadlined implements Numbered<PendingCall> {
  readonly method: NamedMethod
  readonly body: Uint8Array
  /** On the clock's scale; Infinity for none. */
  readonly deadline: Milliseconds
  readonly timeout: Milliseconds
  /** Set when it is sent, unique in its connection; 0 before. */
  id = 0
  sameSlot: PendingCall | undefined
  holder: CallHolder | undefined
  readonly #resolve: (value: unknown) => void
  readonly #reject: (error: Error) => void
  /** Undoes {@link cancelOn}; most calls have none. */
  #stopListening: (() => void) | undefined
  #waitingFor: (() => string) | undefined
  /** Takes what comes ahead of the rest; most calls have none. */
  onPart: ((part: unknown) => void) | undefined

  constructor(
    method: NamedMethod,
    body: Uint8Array,
    deadline: Milliseconds,
    timeout: Milliseconds,
    resolve: (value: unknown) => void,
    reject: (error: Error) => void,
  ) {
    super()
    this.method = method
    this.body = body
    this.deadline = deadline
    this.timeout = timeout
    this.#resolve = resolve
    this.#reject = reject
  }

  /** Ends the call with `CANCELLED` when `signal` aborts, which it has not yet. */
  cancelOn(signal: AbortSignal): void {
    this.#stopListening = onAbort(signal, () => {
      const executed = this.id === 0 ? 'no' : 'unknown'
      const cause: unknown = signal.reason
      this.holder?.release(this)
      this.fail(
        new RpcError('CANCELLED', `${this.method.label}: cancelled by the caller`, { executed, cause }),
      )
    })
  }

  /** The call waits for a connection: `why` tells the error that it ends with if none comes. */
  waitFor(why: () => string): void {
    this.#waitingFor = why
  }

  /** @throws {ProtocolError} when it makes no sense */
  part(body: Uint8Array): void {
    this.onPart?.((this.method.method as UnaryMethod<unknown, unknown>).response.decode(body))
  }

  succeed(body: Uint8Array): void {
    this.#stopListening?.()
    let value: unknown
    try {
      value = (this.method.method as UnaryMethod<unknown, unknown>).response.decode(body)
    } catch (thrown) {
      const cause = toError(thrown)
      const message = `the reply of ${this.method.label} makes no sense: ${cause.message}`
      this.#reject(new RpcError('PROTOCOL', message, { cause, executed: 'yes' }))
      return
    }
    this.#resolve(value)
  }

  fail(error: RpcError): void {
    this.#stopListening?.()
    this.#reject(error)
  }

  override expire(): void {
    const after = `within ${String(Math.round(this.timeout))} ms`
    const error =
      this.id === 0
        ? new RpcError(
            'UNREACHABLE',
            `${this.method.label}: no connection ${after}${this.#waitingFor?.() ?? ''}`,
          )
        : new RpcError('TIMEOUT', `${this.method.label}: no reply ${after}`, { executed: 'unknown' })
    this.holder?.release(this)
    this.fail(error)
  }
}

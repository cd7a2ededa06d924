import type { CallHolder, PendingCall } from './calls.ts'
import type { ClientConnection } from './client-connection.ts'
import type { Milliseconds } from './clock.ts'
import { Deadlined, type Deadlines } from './deadlines.ts'
import { RpcError } from './errors.ts'
import { onAbort } from './on-abort.ts'

interface Guest {
  /** A connection is there. */
  enter(connection: ClientConnection, now: Milliseconds): void
  fail(error: RpcError): void
}

/** Calls and others that wait for a link to come up, in order, bounded. None of them has been sent. */
export class WaitingRoom implements CallHolder {
  readonly #deadlines: Deadlines
  readonly #guestsMax: number
  readonly #lastError: () => RpcError | undefined
  readonly #guests = new Map<object, Guest>()

  constructor(deadlines: Deadlines, guestsMax: number, lastError: () => RpcError | undefined) {
    this.#deadlines = deadlines
    this.#guestsMax = guestsMax
    this.#lastError = lastError
  }

  /** @param hopeless why waiting is in vain, if it is */
  addCall(call: PendingCall, hopeless: RpcError | undefined): void {
    const isFull = this.#guests.size >= this.#guestsMax
    const refusal =
      hopeless ?? (isFull ? new RpcError('BUSY', `${call.method.label}: too many calls wait`) : undefined)
    if (refusal !== undefined) {
      this.#deadlines.remove(call)
      call.fail(notSent(call.method.label, refusal))
      return
    }
    call.holder = this
    call.waitFor(this.#why)
    this.#guests.set(call, {
      enter: (connection, now) => {
        connection.call(call, now)
      },
      fail: (error) => {
        this.#deadlines.remove(call)
        call.fail(notSent(call.method.label, error))
      },
    })
  }

  /** Resolves when a connection is there. */
  add(
    what: string,
    options: {
      readonly timeout: Milliseconds
      readonly deadline: Milliseconds
      readonly signal: AbortSignal | undefined
    },
  ): Promise<void> {
    return new Promise((resolve, reject) => {
      const { signal } = options
      let stopListening = (): void => undefined
      const visit = new Visit(() => {
        const message = `${what}: no connection within ${String(options.timeout)} ms${this.#why()}`
        end(new RpcError('UNREACHABLE', message, { cause: this.#lastError() }))
      })
      const cancel = (): void => {
        end(
          new RpcError('CANCELLED', `${what}: cancelled by the caller`, { cause: signal?.reason as unknown }),
        )
      }
      const end = (error: RpcError | undefined): void => {
        this.#guests.delete(visit)
        this.#deadlines.remove(visit)
        stopListening()
        if (error === undefined) resolve()
        else reject(error)
      }
      this.#guests.set(visit, {
        enter: () => {
          end(undefined)
        },
        fail: (error) => {
          end(notSent(what, error))
        },
      })
      this.#deadlines.add(visit, options.deadline)
      if (signal?.aborted === true) cancel()
      else if (signal !== undefined) stopListening = onAbort(signal, cancel)
    })
  }

  release(call: PendingCall): void {
    this.#guests.delete(call)
    this.#deadlines.remove(call)
  }

  sendAll(connection: ClientConnection, now: Milliseconds): void {
    for (const guest of this.#takeAll()) guest.enter(connection, now)
  }

  failAll(error: RpcError): void {
    for (const guest of this.#takeAll()) guest.fail(error)
  }

  #takeAll(): Guest[] {
    const guests = [...this.#guests.values()]
    this.#guests.clear()
    return guests
  }

  readonly #why = (): string => {
    const error = this.#lastError()
    return error === undefined ? '' : `: ${error.message}`
  }
}

class Visit extends Deadlined {
  readonly expire: () => void
  constructor(expire: () => void) {
    super()
    this.expire = expire
  }
}

function notSent(what: string, reason: RpcError): RpcError {
  const { code, remoteCode, details } = reason
  return new RpcError(code, `${what}: ${reason.message}`, {
    executed: 'no',
    cause: reason,
    remoteCode,
    details,
  })
}

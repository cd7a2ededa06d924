import { onAbort, toError, type Clock, type Milliseconds } from '@lab/rpc'
import { RaftError, badRequest, type Outcome } from '../errors.ts'
import type { Deadlines, Expiring } from './deadlines.ts'

/** How long a call may take, and how it is called off. */
export interface WaitOptions {
  /** Milliseconds; each method says its default. `Infinity` waits for as long as the node lives. */
  readonly timeout?: Milliseconds
  readonly signal?: AbortSignal | undefined
}

/** What waiting needs of its surroundings. */
export interface Waiting {
  readonly clock: Clock
  readonly deadlines: Deadlines
}

/** A time in a message: nobody reads nanoseconds. */
export function said(time: Milliseconds): string {
  return `${Math.ceil(time)} ms`
}

const LAST = '; last: '

/** Of a call that had no answer in time, with what came of its last attempt. */
export function noAnswer(what: string, timeout: Milliseconds, last: Error): string {
  return `${what} within ${said(timeout)}${LAST}${reasonOf(last)}`
}

/** What a call failed for: of one that waited for another, which waited for a third, the reason of the third. */
export function reasonOf({ message }: Error): string {
  return message.split(LAST).at(-1) ?? message
}

/** @throws {RaftError} `BAD_REQUEST` on a timeout that is no positive number */
export function checkTimeout(timeout: Milliseconds): Milliseconds {
  if (typeof timeout === 'number' && timeout > 0) return timeout
  throw badRequest(`timeout must be a number of milliseconds above 0, not ${String(timeout)}`, {
    outcome: 'not-applied',
  })
}

/** @throws {RaftError} `CANCELLED` when it has aborted */
export function checkSignal(signal: AbortSignal | undefined, outcome?: Outcome): void {
  if (signal?.aborted === true) throw cancelled(signal, outcome)
}

export function cancelled(signal: AbortSignal, outcome?: Outcome): RaftError {
  return new RaftError('CANCELLED', 'the caller called it off', { cause: signal.reason, outcome })
}

/**
 * `work`, but no longer than `timeout` and only until `signal` aborts. What `work` gives after that goes nowhere.
 *
 * @param options.what in the message of the timeout: "was not … in time"
 * @throws {RaftError} `TIMEOUT` or `CANCELLED` with `options.outcome`, or what `work` rejects with
 */
export function bounded<T>(
  { clock, deadlines }: Waiting,
  work: Promise<T>,
  options: {
    readonly timeout: Milliseconds
    readonly signal?: AbortSignal | undefined
    readonly what: string
    readonly outcome?: Outcome
  },
): Promise<T> {
  const { timeout, signal, what, outcome } = options
  return new Promise<T>((resolve, reject) => {
    const call: Expiring = {
      deadline: clock.now() + timeout,
      expire: () => end(new RaftError('TIMEOUT', `${what} within ${said(timeout)}`, { outcome })),
    }
    const leave = (): void => {
      deadlines.remove(place, timeout)
      stopListening?.()
    }
    const end = (error: RaftError): void => {
      leave()
      reject(error)
    }
    const place = deadlines.add(call, timeout)
    const stopListening =
      signal === undefined ? undefined : onAbort(signal, () => end(cancelled(signal, outcome)))
    work.then(
      (value) => {
        leave()
        resolve(value)
      },
      (error: unknown) => {
        leave()
        reject(toError(error))
      },
    )
  })
}

/** Asks again, ever more rarely, until an answer comes or the call's time or attempts are used up, or trying again is no use. */
import type { Clock, Milliseconds, Random } from '@lab/rpc'
import { RaftError, badRequest, type RaftErrorCode } from '../errors.ts'
import { cancelled, checkSignal, checkTimeout } from './bounded.ts'
import { outcomeOf, timedOut, withOutcome } from './call-errors.ts'
import type { Call } from './call.ts'
import type { ProposeOptions } from './proposer.ts'
import type { Attempt, Route } from './route.ts'

export interface AttemptsOptions {
  readonly route: Pick<Route, 'changed'>
  readonly clock: Clock
  readonly random: Random
  /** When `ProposeOptions` has none. */
  readonly timeout: Milliseconds
  /** After so long without an answer another server is asked. */
  readonly attemptTimeout: Milliseconds
}

export type Failed = Exclude<Attempt, { readonly ok: true }>

const BACKOFF_MS_MIN = 5
const BACKOFF_MS_MAX = 160
/** A server with too much to do is not helped by being asked again soon. */
const BUSY_BACKOFF_MS_MAX = 1280
/** A hint that leads to a hint, and so on: then somebody is confused, and waiting helps more. */
const REDIRECTS_MAX = 3

const RETRYABLE: ReadonlySet<RaftErrorCode> = new Set<RaftErrorCode>([
  'NOT_LEADER',
  'LEADERSHIP_LOST',
  'BUSY',
  'TIMEOUT',
  'UNAVAILABLE',
])

export class Attempts {
  readonly #options: AttemptsOptions
  #closed = false
  #retried = 0

  constructor(options: AttemptsOptions) {
    this.#options = options
  }

  /** Calls that had to be sent more than once, for another reason than to find the leader. */
  get retried(): number {
    return this.#retried
  }

  get isClosed(): boolean {
    return this.#closed
  }

  /** What waits fails with `CLOSED`. */
  close(): void {
    this.#closed = true
  }

  /** @throws {RaftError} `BAD_REQUEST`, `CANCELLED`, `CLOSED` */
  begin({ timeout = this.#options.timeout, signal, attempts = Infinity }: ProposeOptions): Call {
    checkTimeout(timeout)
    checkSignal(signal, 'not-applied')
    if (attempts !== Infinity && (!Number.isInteger(attempts) || attempts < 1))
      throw badRequest(`attempts must be a whole number from 1 on, not ${attempts}`, {
        outcome: 'not-applied',
      })
    const deadline = this.#options.clock.now() + timeout
    const call = { deadline, timeout, signal, attemptsLeft: attempts, unknown: false, retried: false }
    this.#checkOpen(call)
    return call
  }

  #checkOpen(call: Call): void {
    if (this.#closed) throw new RaftError('CLOSED', 'this end was closed', { outcome: outcomeOf(call) })
  }

  /** @throws {RaftError} with `outcome` */
  async untilAnswered(call: Call, send: (timeout: Milliseconds) => Promise<Attempt>): Promise<Uint8Array> {
    const first = await send(this.attemptTimeout(call))
    return first.ok ? first.reply : this.again(first, call, send)
  }

  /** Goes on after a first attempt. @throws {RaftError} with `outcome` */
  async again(
    first: Failed,
    call: Call,
    send: (timeout: Milliseconds) => Promise<Attempt>,
  ): Promise<Uint8Array> {
    let failed: Failed = first
    let redirects = 0
    let backoff = BACKOFF_MS_MIN
    for (;;) {
      const { error } = failed
      if (error.outcome === 'unknown') call.unknown = true
      this.#checkOpen(call)
      if (!RETRYABLE.has(error.code)) throw withOutcome(error, call)
      // Nothing was appended there and somebody else is said to lead: that is routing, no attempt.
      if (failed.redirected !== true || redirects++ >= REDIRECTS_MAX) {
        call.attemptsLeft--
        if (call.attemptsLeft === 0) throw withOutcome(error, call)
        this.#countRetried(call)
        await this.#pause(backoff, error, call)
        backoff = Math.min(2 * backoff, error.code === 'BUSY' ? BUSY_BACKOFF_MS_MAX : BACKOFF_MS_MAX)
        redirects = 0
      }
      const attempt = await send(this.attemptTimeout(call))
      if (attempt.ok) return attempt.reply
      failed = attempt
    }
  }

  #countRetried(call: Call): void {
    if (!call.retried) this.#retried++
    call.retried = true
  }

  async #pause(backoff: Milliseconds, error: RaftError, call: Call): Promise<void> {
    const { clock, random, route } = this.#options
    const left = call.deadline - clock.now()
    const delay = random.integer(Math.ceil(backoff / 2), backoff)
    if (left > 0) await route.changed(Math.min(delay, left))
    if (call.signal?.aborted === true) throw cancelled(call.signal, outcomeOf(call))
    if (clock.now() >= call.deadline) throw timedOut(error, call)
    this.#checkOpen(call)
  }

  /** Of a first attempt: the very same for all that may take equally long: they share calls. */
  firstTimeout({ timeout, attemptsLeft }: Call): Milliseconds {
    return attemptsLeft === 1 ? timeout : Math.min(timeout, this.#options.attemptTimeout)
  }

  attemptTimeout({ deadline, attemptsLeft }: Call): Milliseconds {
    const left = Math.max(1, deadline - this.#options.clock.now())
    return attemptsLeft === 1 ? left : Math.min(left, this.#options.attemptTimeout)
  }
}

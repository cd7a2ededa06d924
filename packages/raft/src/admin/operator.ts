/** What operators ask, from a member or from a client: the same questions, by another route. */
import { sleep, type Clock, type Milliseconds } from '@lab/rpc'
import { checkSignal, checkTimeout, type WaitOptions } from '../calls/bounded.ts'
import type { Proposer } from '../calls/proposer.ts'
import type { Attempt, AttemptOptions } from '../calls/route.ts'
import type { MembershipChange } from '../core/membership-change.ts'
import { RaftError } from '../errors.ts'
import type { Index, NodeId } from '../types.ts'
import { decodeJson, encodeJson } from './codec.ts'
import type { AdminMethod, ChangeRequest, Handover, MembershipReport, TransferRequest } from './types.ts'

export interface ChangeMembershipOptions extends WaitOptions {
  /** Refused with `CONFLICT` unless the configuration still stands at this index: see `membership()`. */
  readonly ifIndex?: Index | undefined
}

/** Servers to be added receive the whole log first. */
const CHANGE_TIMEOUT_MS = 60_000
const HAND_OVER_TIMEOUT_MS = 5000
/** Between two attempts to hand over. Proposals wait while one lasts, up to an election timeout: between them they are taken. */
const HAND_OVER_PAUSE_MS = 500

export class Operator {
  readonly #clock: Clock
  readonly #proposer: Proposer
  readonly #attempt: (method: AdminMethod, body: Uint8Array, options: AttemptOptions) => Promise<Attempt>

  constructor(options: {
    readonly clock: Clock
    readonly proposer: Proposer
    /** Puts it to whoever seems to lead, once. Never rejects. */
    readonly attempt: (method: AdminMethod, body: Uint8Array, options: AttemptOptions) => Promise<Attempt>
  }) {
    this.#clock = options.clock
    this.#proposer = options.proposer
    this.#attempt = options.attempt
  }

  /** Asks again after an unknown outcome too, for a change says what is to be: but not when it names an index, which it may itself have moved. */
  change(
    change: MembershipChange,
    { ifIndex, timeout = CHANGE_TIMEOUT_MS, signal }: ChangeMembershipOptions,
  ): Promise<MembershipReport> {
    const request: ChangeRequest = { change, ifIndex }
    return this.#ask('change', request, { timeout, signal, once: ifIndex !== undefined })
  }

  membership({ timeout = HAND_OVER_TIMEOUT_MS, signal }: WaitOptions): Promise<MembershipReport> {
    return this.#ask('membership', {}, { timeout, signal, once: false })
  }

  /**
   * Asks again when nobody, or somebody else, took over: on a slow machine a vote may take longer than a leader waits for it. Whoever
   * leads by then answers at once when it is the one wanted.
   */
  async transfer(
    to: NodeId | undefined,
    { timeout = HAND_OVER_TIMEOUT_MS, signal }: WaitOptions,
  ): Promise<Handover> {
    checkTimeout(timeout)
    const request: TransferRequest = { to: to ?? null }
    const deadline = this.#clock.now() + timeout
    for (let attempts = 1; ; attempts++) {
      const left = Math.max(1, deadline - this.#clock.now())
      try {
        return await this.#ask('transfer', request, { timeout: left, signal, once: to === undefined })
      } catch (thrown) {
        if (!(thrown instanceof RaftError) || thrown.code !== 'NOT_TRANSFERRED') throw thrown
        if (this.#clock.now() + HAND_OVER_PAUSE_MS >= deadline)
          throw handedToNobody(thrown, attempts, timeout)
        await this.#pause(HAND_OVER_PAUSE_MS, signal)
      }
    }
  }

  stepDown({ timeout = HAND_OVER_TIMEOUT_MS, signal }: WaitOptions): Promise<Handover> {
    return this.#ask('stepDown', {}, { timeout, signal, once: true })
  }

  async #pause(delay: Milliseconds, signal: AbortSignal | undefined): Promise<void> {
    await sleep(this.#clock, delay, signal).catch(() => undefined)
    checkSignal(signal, 'not-applied')
  }

  async #ask<T>(
    method: AdminMethod,
    request: unknown,
    {
      timeout,
      signal,
      once,
    }: { readonly timeout: Milliseconds; readonly signal: AbortSignal | undefined; readonly once: boolean },
  ): Promise<T> {
    checkTimeout(timeout)
    checkSignal(signal, 'not-applied')
    const body = encodeJson(null, request)
    const deadline = this.#clock.now() + timeout
    const reply = await this.#proposer.perform(
      async () => {
        const left = Math.max(1, deadline - this.#clock.now())
        const attempt = await this.#attempt(method, body, { timeout: left, signal })
        if (!attempt.ok && once && attempt.error.outcome === 'unknown') throw attempt.error
        return attempt
      },
      { timeout, signal },
    )
    return decodeJson<T>(reply.subarray(1))
  }
}

function handedToNobody(last: RaftError, attempts: number, timeout: Milliseconds): RaftError {
  if (attempts === 1) return last
  const message = `${last.message} (asked ${attempts} times within ${timeout} ms)`
  return new RaftError('NOT_TRANSFERRED', message, { outcome: last.outcome, cause: last })
}

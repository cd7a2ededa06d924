/**
 * Has commands applied exactly once: numbers them in a session, and asks again, under the same number, until an answer comes or
 * the time is up. Members and clients share it; they differ in the {@link Route}.
 */
import type { Clock, Milliseconds, Random } from '@lab/rpc'
import { RaftError, badRequest, type RaftErrorCode } from '../errors.ts'
import { CLIENT_ID_BYTES, commandOf, encodePlain, encodeSession } from '../rsm/envelope.ts'
import { ReplyStatus, decodeReply, type Reply } from '../rsm/reply.ts'
import {
  bounded,
  cancelled,
  checkSignal,
  checkTimeout,
  noAnswer,
  reasonOf,
  type WaitOptions,
} from './bounded.ts'
import { ClientSession } from './client-session.ts'
import type { Deadlines } from './deadlines.ts'
import type { Attempt, AttemptOptions, Route } from './route.ts'

export interface ProposeOptions extends WaitOptions {
  /**
   * How often the command may be sent. By default as often as time allows, in a session that makes it count once. With 1 it is
   * sent once and without session: an error then says what is known after that one attempt.
   */
  readonly attempts?: number
}

export interface ProposerOptions {
  readonly route: Route
  readonly clock: Clock
  readonly random: Random
  readonly deadlines: Deadlines
  /** When `ProposeOptions` has none. */
  readonly timeout: Milliseconds
  /** After so long without an answer another server is asked. */
  readonly attemptTimeout: Milliseconds
  /** Bytes of commands that may wait for their answers here: then `BUSY`. Default 64 MiB. */
  readonly waitingBytesMax?: number
}

const WAITING_BYTES_MAX = 64 * 1024 * 1024
/** What a waiting call takes besides its command, about. */
const CALL_BYTES = 512

/** One command on its way. */
interface Call {
  readonly deadline: Milliseconds
  readonly timeout: Milliseconds
  readonly signal: AbortSignal | undefined
  attemptsLeft: number
  /** An attempt may have left the command in somebody's log. */
  unknown: boolean
  /** It is counted among the retried ones. */
  retried: boolean
}

type Failed = Exclude<Attempt, { readonly ok: true }>

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

export class Proposer {
  readonly #options: ProposerOptions
  #session: ClientSession | null = null
  #opening: Promise<ClientSession> | null = null
  /** Why the latest attempt at opening one failed. */
  #notOpened: RaftError | null = null
  #closed = false
  #retried = 0
  #waitingBytes = 0

  constructor(options: ProposerOptions) {
    this.#options = options
  }

  /** Calls that had to be sent more than once, for another reason than to find the leader. */
  get retried(): number {
    return this.#retried
  }

  /**
   * @param command copied before this returns
   * @returns the reply of a command that was applied, or a status that says why not
   * @throws {RaftError} with `outcome`
   */
  async propose(command: Uint8Array, options: ProposeOptions = {}): Promise<Reply> {
    const call = this.#begin(options)
    const bytes = this.#admit(command)
    // One function where three would read better: each async one that a call passes through costs as much as encoding it.
    try {
      if (call.attemptsLeft === 1) return decodeReply(await this.#send(encodePlain(command), call))
      let session = this.#session
      if (session === null) {
        command = command.slice()
        session = await this.#openSession(call)
      }
      for (;;) {
        const sequenceNumber = beginIn(session)
        const payload = encodeSession(session.clientId, sequenceNumber, session.firstUnacknowledged, command)
        let reply: Reply
        try {
          const first = await this.#attempt(payload, call)
          reply = decodeReply(first.ok ? first.reply : await this.#sendAgain(payload, call, first))
        } finally {
          session.end(sequenceNumber)
        }
        if (reply.status !== ReplyStatus.sessionExpired) return reply
        if (this.#session === session) this.#session = null
        if (call.unknown) throw expired()
        // No attempt but this one, which was refused for want of a session: the command is not in the log.
        command = commandOf(payload)
        session = this.#session ?? (await this.#openSession(call))
      }
    } finally {
      this.#waitingBytes -= bytes
    }
  }

  /** Asks something that changes nothing, as often as it takes. @throws {RaftError} without `outcome` */
  async ask(
    send: (options: AttemptOptions) => Promise<Attempt>,
    options: WaitOptions = {},
  ): Promise<Uint8Array> {
    const call = this.#begin(options)
    try {
      return await this.#untilAnswered(call, (timeout) => send({ timeout, signal: call.signal }))
    } catch (thrown) {
      if (!(thrown instanceof RaftError)) throw thrown
      const { code, message, leaderHint, remoteCode, cause } = thrown
      throw new RaftError(code, message, { leaderHint, remoteCode, cause })
    }
  }

  /** Has the leader do something that may be asked for twice. @throws {RaftError} with `outcome` */
  perform(send: () => Promise<Attempt>, options: WaitOptions): Promise<Uint8Array> {
    return this.#untilAnswered(this.#begin(options), send)
  }

  /** What waits fails with `CLOSED`. */
  close(): void {
    this.#closed = true
  }

  /** Memory stays flat however much is asked of a cluster that does not answer. */
  #admit(command: Uint8Array): number {
    const { waitingBytesMax = WAITING_BYTES_MAX } = this.#options
    if (this.#waitingBytes >= waitingBytesMax)
      throw new RaftError('BUSY', `commands of ${waitingBytesMax} bytes wait here already: come back later`, {
        outcome: 'not-applied',
      })
    const bytes = command.length + CALL_BYTES
    this.#waitingBytes += bytes
    return bytes
  }

  #begin({ timeout = this.#options.timeout, signal, attempts = Infinity }: ProposeOptions): Call {
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

  /** Sends until an answer comes. @throws {RaftError} when the call's time or attempts are used up, or trying again is no use */
  async #send(payload: Uint8Array, call: Call): Promise<Uint8Array> {
    const first = await this.#attempt(payload, call)
    return first.ok ? first.reply : this.#sendAgain(payload, call, first)
  }

  #attempt(payload: Uint8Array, call: Call): Promise<Attempt> {
    return this.#options.route.attempt(payload, { timeout: this.#attemptTimeout(call), signal: call.signal })
  }

  #sendAgain(payload: Uint8Array, call: Call, failed: Failed): Promise<Uint8Array> {
    const { route } = this.#options
    return this.#again(failed, call, (timeout) => route.attempt(payload, { timeout, signal: call.signal }))
  }

  async #untilAnswered(call: Call, send: (timeout: Milliseconds) => Promise<Attempt>): Promise<Uint8Array> {
    const first = await send(this.#attemptTimeout(call))
    return first.ok ? first.reply : this.#again(first, call, send)
  }

  async #again(
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
      const attempt = await send(this.#attemptTimeout(call))
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

  #attemptTimeout({ deadline, attemptsLeft }: Call): Milliseconds {
    const left = Math.max(1, deadline - this.#options.clock.now())
    return attemptsLeft === 1 ? left : Math.min(left, this.#options.attemptTimeout)
  }

  /** One opening at a time, shared by all calls that wait for it; each waits no longer than it may. */
  async #openSession(call: Call): Promise<ClientSession> {
    const { clock, deadlines } = this.#options
    for (;;) {
      this.#opening ??= this.#open(call).finally(() => {
        this.#opening = null
      })
      const timeout = Math.max(1, call.deadline - clock.now())
      const what = 'no session could be opened'
      try {
        return await bounded({ clock, deadlines }, this.#opening, { timeout, signal: call.signal, what })
      } catch (error) {
        // The call that did the opening ran out of its time, or was called off. That is not this call's business.
        const ours = call.signal?.aborted === true || clock.now() >= call.deadline
        const theirs = error instanceof RaftError && (error.code === 'TIMEOUT' || error.code === 'CANCELLED')
        if (ours || !theirs || this.#closed) throw notSent(withReason(error, this.#notOpened), call)
      }
    }
  }

  async #open({ deadline, timeout, signal, attemptsLeft }: Call): Promise<ClientSession> {
    const { random, route } = this.#options
    const opening: Call = { deadline, timeout, signal, attemptsLeft, unknown: false, retried: false }
    let clientId = random.bytes(CLIENT_ID_BYTES)
    await this.#untilAnswered(opening, async (attemptTimeout) => {
      // A fresh id for each attempt: an opening that arrives very late can then never revive an expired session.
      clientId = random.bytes(CLIENT_ID_BYTES)
      const attempt = await route.openSession(clientId, { timeout: attemptTimeout, signal })
      this.#notOpened = attempt.ok ? null : attempt.error
      return attempt
    })
    this.#session = new ClientSession(clientId)
    return this.#session
  }
}

function beginIn(session: ClientSession): number {
  if (session.open) return session.begin()
  throw new RaftError('BUSY', 'too many commands of this client wait for an older one', {
    outcome: 'not-applied',
  })
}

function outcomeOf(call: Call): 'not-applied' | 'unknown' {
  return call.unknown ? 'unknown' : 'not-applied'
}

/** The last error, but once an attempt was unknown, unknown. */
function withOutcome(error: RaftError, call: Call): RaftError {
  if (error.outcome === outcomeOf(call)) return error
  const { code, message, leaderHint, remoteCode } = error
  return new RaftError(code, message, { outcome: outcomeOf(call), leaderHint, remoteCode, cause: error })
}

function timedOut(last: RaftError, call: Call): RaftError {
  return new RaftError('TIMEOUT', noAnswer('no answer', call.timeout, last), {
    outcome: outcomeOf(call),
    leaderHint: last.leaderHint,
    cause: last,
  })
}

/** A time that ran out while others were at work says nothing of what they met. */
function withReason(error: unknown, last: RaftError | null): unknown {
  if (last === null || !(error instanceof RaftError) || error.code !== 'TIMEOUT') return error
  if (reasonOf(error) !== error.message) return error
  return new RaftError('TIMEOUT', `${error.message}; last: ${reasonOf(last)}`, { cause: error })
}

/** Opening a session failed: whatever that says of itself, the command was never sent. */
function notSent(thrown: unknown, call: Call): unknown {
  if (!(thrown instanceof RaftError)) return thrown
  if (call.signal?.aborted === true) return cancelled(call.signal, 'not-applied')
  return new RaftError(thrown.code, thrown.message, {
    outcome: 'not-applied',
    leaderHint: thrown.leaderHint,
    cause: thrown,
  })
}

function expired(): RaftError {
  return new RaftError(
    'SESSION_EXPIRED',
    'the cluster has forgotten this client: whether an earlier attempt was applied is not known',
    { outcome: 'unknown' },
  )
}

/**
 * Has commands applied exactly once: numbers them in a session, and asks again, under the same number, until an answer comes or
 * the time is up. Members and clients share it; they differ in the {@link Route}.
 */
import { toError, type Milliseconds } from '@lab/rpc'
import { RaftError } from '../errors.ts'
import { CLIENT_ID_BYTES, commandOf, encodePlain, encodeSession } from '../rsm/envelope.ts'
import { ReplyStatus, decodeReply, type Reply } from '../rsm/reply.ts'
import { Attempts, type AttemptsOptions, type Failed } from './attempts.ts'
import { bounded, type WaitOptions } from './bounded.ts'
import { expired, notSent, withReason, withoutOutcome } from './call-errors.ts'
import type { Call } from './call.ts'
import { ClientSession } from './client-session.ts'
import type { Deadlines } from './deadlines.ts'
import type { Attempt, Route } from './route.ts'
import { attempt, type Sending } from './sending.ts'

export interface ProposeOptions extends WaitOptions {
  /**
   * How often the command may be sent. By default as often as time allows, in a session that makes it count once. With 1 it is
   * sent once and without session: an error then says what is known after that one attempt.
   */
  readonly attempts?: number
}

export interface ProposerOptions extends AttemptsOptions {
  readonly route: Route
  readonly deadlines: Deadlines
  /** Bytes of commands that may wait for their answers here: then `BUSY`. Default 64 MiB. */
  readonly waitingBytesMax?: number
}

const WAITING_BYTES_MAX = 64 * 1024 * 1024
/** What a waiting call takes besides its command, about. */
const CALL_BYTES = 512

/** A command in a session: asked for again under the same number, it counts once. */
interface Numbered {
  readonly session: ClientSession
  readonly sequenceNumber: number
  readonly payload: Uint8Array
}

export class Proposer {
  readonly #options: ProposerOptions
  readonly #attempts: Attempts
  #session: ClientSession | null = null
  #opening: Promise<ClientSession> | null = null
  /** Why the latest attempt at opening one failed. */
  #notOpened: RaftError | null = null
  #waitingBytes = 0

  constructor(options: ProposerOptions) {
    this.#options = options
    this.#attempts = new Attempts(options)
  }

  /** Calls that had to be sent more than once, for another reason than to find the leader. */
  get retried(): number {
    return this.#attempts.retried
  }

  /**
   * @param command copied before this returns
   * @param read makes what is wanted of the reply: of a command that was applied, or a status that says why not
   * @throws {RaftError} with `outcome`, and what `read` throws
   */
  propose<T>(command: Uint8Array, options: ProposeOptions, read: (reply: Reply) => T): Promise<T> {
    // No async function where things go well: each that a call passes through costs as much as encoding it.
    return new Promise((resolve, reject) => {
      const call = this.#attempts.begin(options)
      this.#checkRoom()
      const numbered = call.attemptsLeft === 1 ? null : this.#numbered(command)
      const bytes = command.length + CALL_BYTES
      this.#waitingBytes += bytes
      const later = (work: Promise<Reply>): void => {
        resolve(work.finally(() => (this.#waitingBytes -= bytes)).then(read))
      }
      if (numbered === null && call.attemptsLeft > 1) {
        later(this.#inSession(command.slice(), call))
        return
      }
      const body = numbered?.payload ?? encodePlain(command)
      this.#options.route.send({
        body,
        timeout: this.#attempts.firstTimeout(call),
        signal: call.signal,
        answered: (answer) => {
          numbered?.session.end(numbered.sequenceNumber)
          this.#waitingBytes -= bytes
          try {
            const reply = decodeReply(answer)
            if (numbered === null || reply.status !== ReplyStatus.sessionExpired) resolve(read(reply))
            else resolve(this.#inSessionAgain(numbered, call).then(read))
          } catch (thrown) {
            reject(toError(thrown))
          }
        },
        failed: (error, redirected) => {
          const failed = failedBy(error, redirected)
          later(
            numbered === null
              ? this.#sendAgain(body, call, failed).then(decodeReply)
              : this.#persist(numbered, call, failed),
          )
        },
      })
    })
  }

  /**
   * Asks something that changes nothing, as often as it takes.
   *
   * @param send puts it to somebody, once
   * @throws {RaftError} without `outcome`, and what `read` throws
   */
  ask<T>(
    body: Uint8Array,
    send: (sending: Sending) => void,
    options: WaitOptions,
    read: (answer: Uint8Array) => T,
  ): Promise<T> {
    return new Promise((resolve, reject) => {
      const call = this.#attempts.begin(options)
      const { signal } = call
      send({
        body,
        timeout: this.#attempts.firstTimeout(call),
        signal,
        answered: (answer) => {
          try {
            resolve(read(answer))
          } catch (thrown) {
            reject(toError(thrown))
          }
        },
        failed: (error, redirected) => {
          const again = (timeout: Milliseconds): Promise<Attempt> => attempt(send, body, { timeout, signal })
          resolve(
            this.#attempts.again(failedBy(error, redirected), call, again).catch(withoutOutcome).then(read),
          )
        },
      })
    })
  }

  /** Has the leader do something that may be asked for twice. @throws {RaftError} with `outcome` */
  perform(send: () => Promise<Attempt>, options: WaitOptions): Promise<Uint8Array> {
    return this.#attempts.untilAnswered(this.#attempts.begin(options), send)
  }

  /** What waits fails with `CLOSED`. */
  close(): void {
    this.#attempts.close()
  }

  /** Memory stays flat however much is asked of a cluster that does not answer. */
  #checkRoom(): void {
    const { waitingBytesMax = WAITING_BYTES_MAX } = this.#options
    if (this.#waitingBytes >= waitingBytesMax)
      throw new RaftError('BUSY', `commands of ${waitingBytesMax} bytes wait here already: come back later`, {
        outcome: 'not-applied',
      })
  }

  /** Null when there is no session yet. */
  #numbered(command: Uint8Array): Numbered | null {
    const session = this.#session
    if (session === null) return null
    const sequenceNumber = beginIn(session)
    const payload = encodeSession(session.clientId, sequenceNumber, session.firstUnacknowledged, command)
    return { session, sequenceNumber, payload }
  }

  /** Opens a session where there is none, and sends until an answer comes. */
  async #inSession(command: Uint8Array, call: Call): Promise<Reply> {
    let numbered = this.#numbered(command)
    while (numbered === null) {
      await this.#openSession(call)
      numbered = this.#numbered(command)
    }
    const { payload } = numbered
    const timeout = this.#attempts.attemptTimeout(call)
    const first = await attempt((sending) => this.#options.route.send(sending), payload, {
      timeout,
      signal: call.signal,
    })
    return this.#persist(numbered, call, first)
  }

  /** What comes of a first attempt, in the end. */
  async #persist(numbered: Numbered, call: Call, first: Attempt): Promise<Reply> {
    const { session, sequenceNumber, payload } = numbered
    let reply: Reply
    try {
      reply = decodeReply(first.ok ? first.reply : await this.#sendAgain(payload, call, first))
    } finally {
      session.end(sequenceNumber)
    }
    return reply.status === ReplyStatus.sessionExpired ? this.#inSessionAgain(numbered, call) : reply
  }

  /** The cluster has forgotten the session of `numbered`. @throws {RaftError} `SESSION_EXPIRED` */
  async #inSessionAgain({ session, payload }: Numbered, call: Call): Promise<Reply> {
    if (this.#session === session) this.#session = null
    if (call.unknown) throw expired()
    // No attempt but this one, which was refused for want of a session: the command is not in the log.
    return this.#inSession(commandOf(payload), call)
  }

  #sendAgain(payload: Uint8Array, call: Call, failed: Failed): Promise<Uint8Array> {
    const send = (sending: Sending): void => this.#options.route.send(sending)
    return this.#attempts.again(failed, call, (timeout) =>
      attempt(send, payload, { timeout, signal: call.signal }),
    )
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
        if (ours || !theirs || this.#attempts.isClosed)
          throw notSent(withReason(error, this.#notOpened), call)
      }
    }
  }

  async #open({ deadline, timeout, signal, attemptsLeft }: Call): Promise<ClientSession> {
    const { random, route } = this.#options
    const opening: Call = { deadline, timeout, signal, attemptsLeft, unknown: false, retried: false }
    let clientId = random.bytes(CLIENT_ID_BYTES)
    await this.#attempts.untilAnswered(opening, async (attemptTimeout) => {
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

function failedBy(error: RaftError, redirected: boolean): Failed {
  return { ok: false, error, redirected }
}

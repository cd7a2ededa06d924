/**
 * Exactly once (thesis §6.3): per client, the replies to commands that it may still ask for again. Pure, and changed by the log
 * alone, so that every replica remembers and forgets the same; part of every snapshot.
 */
import { ByteReader, ByteWriter } from '@lab/rpc'
import { CLIENT_ID_BYTES, clientKeyOf, type ClientKey, type SessionRule } from './envelope.ts'
import { ReplyWindow } from './reply-window.ts'
import { RestingSessions } from './resting-sessions.ts'
import { SEQUENCE_WINDOW, writeSession, type Session } from './session.ts'

export { SEQUENCE_WINDOW, type Session } from './session.ts'

/** So many of those used last are objects; the others rest as bytes. Nothing that can be seen depends on it. */
const ACTIVE_MAX = 1024
/** Of most, encoded. */
const SESSION_BYTES = 64

export type Admission =
  /** Not seen before: apply it, then `complete`. */
  | { readonly verdict: 'new'; readonly session: Session }
  /** Applied before; this was its reply. */
  | { readonly verdict: 'duplicate'; readonly reply: Uint8Array }
  /** The client said that it has the reply: a late copy, nobody waits for it. */
  | { readonly verdict: 'acknowledged' }
  /** The table holds no such client. */
  | { readonly verdict: 'expired' }
  /** Further ahead than {@link SEQUENCE_WINDOW}, or a sequence number of 0. */
  | { readonly verdict: 'out-of-window' }

const EXPIRED: Admission = { verdict: 'expired' }
const ACKNOWLEDGED: Admission = { verdict: 'acknowledged' }
const OUT_OF_WINDOW: Admission = { verdict: 'out-of-window' }

export class SessionTable {
  /** The newest, in the order of last use, which is also the order of `lastTime`. All others rest. */
  readonly #active = new Map<ClientKey, Session>()
  readonly #resting = new RestingSessions()
  readonly #activeMax: number
  #newest: Session | null = null

  constructor(activeMax: number = ACTIVE_MAX) {
    this.#activeMax = activeMax
  }

  get size(): number {
    return this.#active.size + this.#resting.size
  }

  /** Begins a session, or refreshes the one there is. Then forgets, by `rule`, the idle ones and the least recently used ones. */
  open(clientId: Uint8Array, time: number, rule: SessionRule): void {
    const key = clientKeyOf(clientId)
    const session = this.#find(key) ?? {
      key,
      clientId: clientId.slice(),
      lastTime: time,
      replies: new ReplyWindow(1),
    }
    this.#use(session, time)
    for (let old = this.#oldest(); old !== undefined && old.key !== key; old = this.#oldest()) {
      const idle = time - old.lastTime > rule.idleMsMax
      if (!idle && this.size <= rule.sessionsMax) break
      if (this.#resting.take(old.key) === undefined) this.#active.delete(old.key)
    }
  }

  /** Judges a command before it is applied, and forgets the replies that its client has. */
  admit(key: ClientKey, sequenceNumber: number, firstUnacknowledged: number, time: number): Admission {
    // Commands mostly come many in a row from one client.
    const session = this.#newest?.key === key ? this.#newest : this.#find(key)
    if (session === undefined) return EXPIRED
    this.#use(session, time)
    const { replies } = session
    replies.acknowledge(firstUnacknowledged)
    const reply = replies.get(sequenceNumber)
    if (reply !== undefined) return { verdict: 'duplicate', reply }
    if (sequenceNumber === 0 || sequenceNumber >= replies.firstUnacknowledged + SEQUENCE_WINDOW)
      return OUT_OF_WINDOW
    if (sequenceNumber < replies.firstUnacknowledged) return ACKNOWLEDGED
    return { verdict: 'new', session }
  }

  /** Keeps the reply of a command that `admit` called new. */
  complete(session: Session, sequenceNumber: number, reply: Uint8Array): void {
    session.replies.set(sequenceNumber, reply)
  }

  /** Everything, in order of last use. */
  encode(): Uint8Array {
    const writer = new ByteWriter(16 + SESSION_BYTES * this.size).varint(this.size)
    this.#resting.write(writer)
    for (const session of this.#active.values()) writeSession(writer, session)
    return writer.finish()
  }

  /**
   * @param shift added to the log times: for sessions that come out of another log
   * @throws {ProtocolError} on bytes that `encode` did not write
   */
  static decode(bytes: Uint8Array, shift = 0): SessionTable {
    const table = new SessionTable()
    const reader = new ByteReader(bytes)
    table.#resting.load(reader, bytes, reader.count(CLIENT_ID_BYTES + 3))
    reader.end()
    return shift === 0 ? table : table.#shifted(shift)
  }

  #shifted(shift: number): SessionTable {
    const table = new SessionTable()
    for (const session of this.#resting.sessions()) {
      session.lastTime = Math.max(0, session.lastTime + shift)
      table.#resting.add(session)
    }
    return table
  }

  /** Awake: whoever asks is about to use it. */
  #find(key: ClientKey): Session | undefined {
    return this.#active.get(key) ?? this.#resting.take(key)
  }

  #oldest(): { readonly key: ClientKey; readonly lastTime: number } | undefined {
    return this.#resting.oldest() ?? this.#active.values().next().value
  }

  #use(session: Session, time: number): void {
    session.lastTime = time
    if (session === this.#newest) return
    this.#active.delete(session.key)
    this.#active.set(session.key, session)
    this.#newest = session
    if (this.#active.size <= this.#activeMax) return
    for (const oldest of this.#active.values()) {
      this.#active.delete(oldest.key)
      this.#resting.add(oldest)
      return
    }
  }
}

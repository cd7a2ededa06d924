/**
 * Exactly once (thesis §6.3): per client, the replies to commands that it may still ask for again. Pure, and changed by the log
 * alone, so that every replica remembers and forgets the same; part of every snapshot.
 */
import { ByteReader, ByteWriter, ProtocolError } from '@lab/rpc'
import { CLIENT_ID_BYTES, clientKeyOf, type ClientKey, type SessionRule } from './envelope.ts'
import { ReplyWindow } from './reply-window.ts'

/** A client may run this far ahead of its oldest unacknowledged command: bounds the replies kept. Part of the log's meaning: never change it. */
export const SEQUENCE_WINDOW = 8192

/** One client. Replies are opaque here; each is kept until its client says that it has it. */
export interface Session {
  readonly key: ClientKey
  readonly clientId: Uint8Array
  /** Log time of its last command. */
  lastTime: number
  /** Those that its client has not acknowledged. */
  readonly replies: ReplyWindow
}

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
  /** In the order of last use, which is also the order of `lastTime`. */
  readonly #sessions = new Map<ClientKey, Session>()
  #newest: Session | null = null

  get size(): number {
    return this.#sessions.size
  }

  /** Begins a session, or refreshes the one there is. Then forgets, by `rule`, the idle ones and the least recently used ones. */
  open(clientId: Uint8Array, time: number, rule: SessionRule): void {
    const key = clientKeyOf(clientId)
    const session = this.#sessions.get(key) ?? {
      key,
      clientId: clientId.slice(),
      lastTime: time,
      replies: new ReplyWindow(1),
    }
    this.#use(session, time)
    for (const [oldKey, old] of this.#sessions) {
      const idle = time - old.lastTime > rule.idleMsMax
      if (old === session || (!idle && this.#sessions.size <= rule.sessionsMax)) break
      this.#sessions.delete(oldKey)
    }
  }

  /** Judges a command before it is applied, and forgets the replies that its client has. */
  admit(key: ClientKey, sequenceNumber: number, firstUnacknowledged: number, time: number): Admission {
    // Commands mostly come many in a row from one client.
    const session = this.#newest?.key === key ? this.#newest : this.#sessions.get(key)
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
    const writer = new ByteWriter(1024).varint(this.#sessions.size)
    for (const { clientId, lastTime, replies } of this.#sessions.values()) {
      writer.raw(clientId).varint(lastTime).varint(replies.firstUnacknowledged).varint(replies.size)
      for (const [sequenceNumber, reply] of replies.entries()) writer.varint(sequenceNumber).bytes(reply)
    }
    return writer.finish()
  }

  /**
   * @param shift added to all times: of a table that was kept in another log, where the time was another
   * @throws {ProtocolError} on bytes that `encode` did not write
   */
  static decode(bytes: Uint8Array, shift = 0): SessionTable {
    const table = new SessionTable()
    const reader = new ByteReader(bytes)
    for (let left = reader.count(CLIENT_ID_BYTES + 3); left > 0; left--) {
      const session = decodeSession(reader, shift)
      table.#sessions.set(session.key, session)
    }
    reader.end()
    return table
  }

  #use(session: Session, time: number): void {
    session.lastTime = time
    if (session === this.#newest) return
    this.#sessions.delete(session.key)
    this.#sessions.set(session.key, session)
    this.#newest = session
  }
}

function decodeSession(reader: ByteReader, shift: number): Session {
  const clientId = reader.raw(CLIENT_ID_BYTES).slice()
  const lastTime = Math.max(0, reader.varint() + shift)
  const replies = new ReplyWindow(reader.varint())
  for (let left = reader.count(2); left > 0; left--) {
    const sequenceNumber = reader.varint()
    const distance = sequenceNumber - replies.firstUnacknowledged
    if (distance < 0 || distance >= SEQUENCE_WINDOW || replies.get(sequenceNumber) !== undefined)
      throw new ProtocolError(`a reply to command ${String(sequenceNumber)}, which is not awaited`)
    replies.set(sequenceNumber, reader.bytes().slice())
  }
  return { key: clientKeyOf(clientId), clientId, lastTime, replies }
}

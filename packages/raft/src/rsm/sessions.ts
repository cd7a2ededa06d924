/**
 * Exactly once (thesis §6.3): per client, the replies to commands that it may still ask for again. Pure, and changed by the log
 * alone, so that every replica remembers and forgets the same; part of every snapshot.
 */
import { ByteReader, ByteWriter } from '@lab/rpc'
import { CLIENT_ID_BYTES, clientKeyOf, type ClientKey, type SessionRule } from './envelope.ts'

/** A client may run this far ahead of its oldest unacknowledged command: bounds the replies kept. Part of the log's meaning: never change it. */
export const SEQUENCE_WINDOW = 8192

/** One client. Replies are opaque here; each is kept until its client says that it has it. */
export interface Session {
  readonly clientId: Uint8Array
  /** Log time of its last command. */
  lastTime: number
  /** Below it everything is acknowledged and forgotten; never decreases. */
  firstUnacknowledged: number
  /** By sequence number, all ≥ firstUnacknowledged. */
  readonly replies: Map<number, Uint8Array>
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
      clientId: clientId.slice(),
      lastTime: time,
      firstUnacknowledged: 1,
      replies: new Map<number, Uint8Array>(),
    }
    this.#use(key, session, time)
    for (const [oldKey, old] of this.#sessions) {
      const idle = time - old.lastTime > rule.idleMsMax
      if (old === session || (!idle && this.#sessions.size <= rule.sessionsMax)) break
      this.#sessions.delete(oldKey)
    }
  }

  /** Judges a command before it is applied, and forgets the replies that its client has. */
  admit(key: ClientKey, sequenceNumber: number, firstUnacknowledged: number, time: number): Admission {
    const session = this.#sessions.get(key)
    if (session === undefined) return EXPIRED
    this.#use(key, session, time)
    acknowledge(session, firstUnacknowledged)
    const reply = session.replies.get(sequenceNumber)
    if (reply !== undefined) return { verdict: 'duplicate', reply }
    if (sequenceNumber === 0 || sequenceNumber >= session.firstUnacknowledged + SEQUENCE_WINDOW)
      return OUT_OF_WINDOW
    if (sequenceNumber < session.firstUnacknowledged) return ACKNOWLEDGED
    return { verdict: 'new', session }
  }

  /** Keeps the reply of a command that `admit` called new. */
  complete(session: Session, sequenceNumber: number, reply: Uint8Array): void {
    session.replies.set(sequenceNumber, reply)
  }

  /** Everything, in order of last use. */
  encode(): Uint8Array {
    const writer = new ByteWriter(1024).varint(this.#sessions.size)
    for (const { clientId, lastTime, firstUnacknowledged, replies } of this.#sessions.values()) {
      writer.raw(clientId).varint(lastTime).varint(firstUnacknowledged).varint(replies.size)
      for (const [sequenceNumber, reply] of replies) writer.varint(sequenceNumber).bytes(reply)
    }
    return writer.finish()
  }

  /** @throws {ProtocolError} on bytes that `encode` did not write */
  static decode(bytes: Uint8Array): SessionTable {
    const table = new SessionTable()
    const reader = new ByteReader(bytes)
    for (let left = reader.count(CLIENT_ID_BYTES + 3); left > 0; left--) {
      const session = decodeSession(reader)
      table.#sessions.set(clientKeyOf(session.clientId), session)
    }
    reader.end()
    return table
  }

  #use(key: ClientKey, session: Session, time: number): void {
    session.lastTime = time
    if (session === this.#newest) return
    this.#sessions.delete(key)
    this.#sessions.set(key, session)
    this.#newest = session
  }
}

function decodeSession(reader: ByteReader): Session {
  const clientId = reader.raw(CLIENT_ID_BYTES).slice()
  const lastTime = reader.varint()
  const firstUnacknowledged = reader.varint()
  const replies = new Map<number, Uint8Array>()
  for (let left = reader.count(2); left > 0; left--) {
    const sequenceNumber = reader.varint()
    replies.set(sequenceNumber, reader.bytes().slice())
  }
  return { clientId, lastTime, firstUnacknowledged, replies }
}

function acknowledge(session: Session, firstUnacknowledged: number): void {
  if (firstUnacknowledged <= session.firstUnacknowledged) return
  if (firstUnacknowledged - session.firstUnacknowledged > SEQUENCE_WINDOW) {
    for (const sequenceNumber of session.replies.keys())
      if (sequenceNumber < firstUnacknowledged) session.replies.delete(sequenceNumber)
  } else {
    for (let i = session.firstUnacknowledged; i < firstUnacknowledged; i++) session.replies.delete(i)
  }
  session.firstUnacknowledged = firstUnacknowledged
}

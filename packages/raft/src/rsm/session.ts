/**
 * One client, and how it stands in snapshots and at rest:
 *
 *     client id (16 bytes) · varint log time of its last command · varint first unacknowledged · varint count ·
 *     count times: varint sequenceNumber, ascending · bytes reply
 */
import { ByteReader, ProtocolError, type ByteWriter } from '@lab/rpc'
import { CLIENT_ID_BYTES, clientKeyOf, readClientKey, type ClientKey } from './envelope.ts'
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

export function writeSession(to: ByteWriter, { clientId, lastTime, replies }: Session): void {
  to.raw(clientId).varint(lastTime).varint(replies.firstUnacknowledged).varint(replies.size)
  for (const [sequenceNumber, reply] of replies.entries()) to.varint(sequenceNumber).bytes(reply)
}

/** @throws {ProtocolError} on bytes that {@link writeSession} did not write */
export function readSession(reader: ByteReader): Session {
  const clientId = reader.raw(CLIENT_ID_BYTES).slice()
  const lastTime = reader.varint()
  const replies = new ReplyWindow(reader.varint())
  readReplies(reader, replies.firstUnacknowledged, (sequenceNumber, reply) => {
    replies.set(sequenceNumber, reply.slice())
  })
  return { key: clientKeyOf(clientId), clientId, lastTime, replies }
}

/** Goes past one, as {@link readSession} would. @returns whose it is @throws {ProtocolError} as it does */
export function skipSession(reader: ByteReader): ClientKey {
  const key = readClientKey(reader)
  reader.varint()
  readReplies(reader, reader.varint(), ignore)
  return key
}

const ignore = (): void => undefined

/** Log time of the last command of the session that begins at `start`. */
export function lastTimeAt(bytes: Uint8Array, start: number): number {
  return new ByteReader(bytes, start + CLIENT_ID_BYTES).varint()
}

function readReplies(
  reader: ByteReader,
  first: number,
  take: (sequenceNumber: number, reply: Uint8Array) => void,
): void {
  let least = first
  for (let left = reader.count(2); left > 0; left--) {
    const sequenceNumber = reader.varint()
    if (sequenceNumber < least || sequenceNumber - first >= SEQUENCE_WINDOW)
      throw new ProtocolError(`a reply to command ${String(sequenceNumber)}, which is not awaited`)
    take(sequenceNumber, reader.bytes())
    least = sequenceNumber + 1
  }
}

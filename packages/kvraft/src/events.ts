/**
 * What a watch tells of a change, and its bytes in the history, in snapshots and on the wire:
 *
 *     u32 bytes that follow · u8 kind · varint revision · varint version · bytes key · value to the end
 *     kinds  1 put   2 append: the value is what was added   3 delete   4 expire        (3 and 4: no value, version 0)
 *
 * The numbers are on disk: never reuse one.
 */
import { ByteReader, ProtocolError } from '@lab/rpc'
import { checkKeyLength, checkValueLength, readKey, readValue } from './fields.ts'
import type { Cursor } from './memory/cursor.ts'

export const EventKind = { put: 1, append: 2, delete: 3, expire: 4 } as const
export type EventKind = (typeof EventKind)[keyof typeof EventKind]

const NAMES = ['put', 'append', 'delete', 'expire'] as const

/** One change of one key. */
export interface WatchEvent {
  /** `expire` is a delete by time. */
  readonly type: (typeof NAMES)[number]
  /** The store's: each change has the next one, those of one transaction too. */
  readonly revision: number
  /** The key's; 0 when it is gone. */
  readonly version: number
  readonly key: Uint8Array
  /** What was put or, by an append, added. Empty when the key is gone. */
  readonly value: Uint8Array
}

/** Before the length of the key, at most. */
export const EVENT_HEAD_BYTES = 4

/** The events that stand in `bytes` one behind the other; keys and values are views. @throws {ProtocolError} on anything else */
export function decodeEvents(reader: ByteReader): WatchEvent[] {
  const events: WatchEvent[] = []
  while (reader.remaining > 0) {
    const length = reader.u32()
    if (length > reader.remaining) throw new ProtocolError(`an event of ${String(length)} bytes is cut off`)
    events.push(decodeEvent(new ByteReader(reader.raw(length))))
  }
  return events
}

/** One event without its length. @throws {ProtocolError} */
export function decodeEvent(reader: ByteReader): WatchEvent {
  const kind = reader.u8()
  const type = NAMES[kind - 1]
  if (type === undefined) throw new ProtocolError(`an event of unknown kind ${String(kind)}`)
  const revision = reader.varint()
  const version = reader.varint()
  const key = readKey(reader)
  const value = readValue(reader)
  if (kind >= EventKind.delete && value.length + version > 0)
    throw new ProtocolError('the end of a key with a value or a version')
  return { type, revision, version, key, value }
}

/** The revision of one event without its length, of which nothing else is kept: no object is made. @throws {ProtocolError} as {@link decodeEvent} */
export function checkEvent(cursor: Cursor): number {
  const kind = cursor.u8()
  if (kind < 1 || kind > NAMES.length) throw new ProtocolError(`an event of unknown kind ${String(kind)}`)
  const revision = cursor.varint()
  const version = cursor.varint()
  const keyLength = cursor.varint()
  checkKeyLength(keyLength)
  const valueLength = cursor.remaining - keyLength
  if (valueLength < 0) throw new ProtocolError('an event whose key is cut off')
  checkValueLength(valueLength)
  if (kind >= EventKind.delete && valueLength + version > 0)
    throw new ProtocolError('the end of a key with a value or a version')
  return revision
}

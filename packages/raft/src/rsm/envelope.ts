/**
 * What stands in the payload of a command entry. All numbers as `ByteWriter` writes them:
 *
 *     plain    u8 0 · command
 *     open     u8 1 · client id (16 bytes) · varint sessionsMax · varint idleMsMax
 *     session  u8 2 · client id (16 bytes) · varint sequenceNumber · varint firstUnacknowledged · command
 *
 * The kinds are on disk: never reuse one.
 */
import { ByteReader, ByteWriter, ProtocolError, assert } from '@lab/rpc'

export const CLIENT_ID_BYTES = 16

const PLAIN = 0
const OPEN = 1
const SESSION = 2

/** One buffer for the frequent kind: what leaves it is a copy. */
const scratch = new ByteWriter(1024)

/** How many sessions the cluster remembers, and for how long an idle one (log time). It travels in the log, so that all replicas forget the same. */
export interface SessionRule {
  readonly sessionsMax: number
  readonly idleMsMax: number
}

export type Envelope =
  /** Applied once for each time that it stands in the log. */
  | { readonly kind: 'plain'; readonly command: Uint8Array }
  /** Begins a session (thesis §6.3): a client id that is not in the table is therefore an expired one. */
  | { readonly kind: 'open'; readonly clientId: Uint8Array; readonly rule: SessionRule }
  /** Applied once per sequence number. */
  | {
      readonly kind: 'session'
      readonly clientId: Uint8Array
      /** From 1. */
      readonly sequenceNumber: number
      /** The client has the answers to all sequence numbers below this one. */
      readonly firstUnacknowledged: number
      readonly command: Uint8Array
    }

export function encodePlain(command: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(1 + command.length)
  bytes.set(command, 1)
  return bytes
}

export function encodeOpen(clientId: Uint8Array, rule: SessionRule): Uint8Array {
  assertClientId(clientId)
  return new ByteWriter(32).u8(OPEN).raw(clientId).varint(rule.sessionsMax).varint(rule.idleMsMax).finish()
}

export function encodeSession(
  clientId: Uint8Array,
  sequenceNumber: number,
  firstUnacknowledged: number,
  command: Uint8Array,
): Uint8Array {
  assertClientId(clientId)
  scratch.reset()
  return scratch
    .u8(SESSION)
    .raw(clientId)
    .varint(sequenceNumber)
    .varint(firstUnacknowledged)
    .raw(command)
    .finish()
}

/** @returns views on `payload`, no copies @throws {ProtocolError} on bytes that no encoder above wrote */
export function decodeEnvelope(payload: Uint8Array): Envelope {
  const reader = new ByteReader(payload)
  const kind = reader.u8()
  switch (kind) {
    case PLAIN:
      return { kind: 'plain', command: reader.raw(reader.remaining) }
    case OPEN: {
      const clientId = reader.raw(CLIENT_ID_BYTES)
      const rule = { sessionsMax: reader.varint(), idleMsMax: reader.varint() }
      reader.end()
      return { kind: 'open', clientId, rule }
    }
    case SESSION: {
      const clientId = reader.raw(CLIENT_ID_BYTES)
      const sequenceNumber = reader.varint()
      const firstUnacknowledged = reader.varint()
      return {
        kind: 'session',
        clientId,
        sequenceNumber,
        firstUnacknowledged,
        command: reader.raw(reader.remaining),
      }
    }
    default:
      throw new ProtocolError(`a command envelope of unknown kind ${String(kind)}`)
  }
}

function assertClientId(clientId: Uint8Array): void {
  assert(clientId.length === CLIENT_ID_BYTES, 'a client id has 16 bytes')
}

/**
 * What stands in the payload of a command entry. All numbers as `ByteWriter` writes them:
 *
 *     plain    u8 0 · command
 *     open     u8 1 · client id (16 bytes) · varint sessionsMax · varint idleMsMax
 *     session  u8 2 · client id (16 bytes) · varint sequenceNumber · varint firstUnacknowledged · command
 *
 * The kinds are on disk: never reuse one.
 */
import { ByteReader, ByteWriter, ProtocolError, afterVarint, assert } from '@lab/rpc'

export const CLIENT_ID_BYTES = 16

export const ENVELOPE = { plain: 0, open: 1, session: 2 } as const

/** Many envelopes share a buffer: one of their own for each would keep the collector busy. Never grows, so that views stay good. */
const SLAB_BYTES = 64 * 1024
const SESSION_HEAD_BYTES_MAX = 1 + CLIENT_ID_BYTES + 2 * 8
let slab = new ByteWriter(SLAB_BYTES)

/** A client id as a key of maps: equal exactly when the sixteen bytes are, and cheaper to make than a copy of them. */
export type ClientKey = string

export function clientKeyOf(clientId: Uint8Array): ClientKey {
  return readClientKey(new ByteReader(clientId))
}

/** Reads the sixteen bytes of a client id. */
export function readClientKey(reader: ByteReader): ClientKey {
  const a = reader.u32()
  const b = reader.u32()
  const c = reader.u32()
  const d = reader.u32()
  // Commands mostly come many in a row from one client: the same text again, for it is compared by address first.
  if (a !== latest.a || b !== latest.b || c !== latest.c || d !== latest.d)
    latest = { a, b, c, d, key: clientKeyFrom(a, b, c, d) }
  return latest.key
}

function clientKeyFrom(a: number, b: number, c: number, d: number): ClientKey {
  const low = 0xffff
  return String.fromCharCode(a & low, a >>> 16, b & low, b >>> 16, c & low, c >>> 16, d & low, d >>> 16)
}

/** The id read last. It says nothing that the bytes do not say. */
let latest = { a: 0, b: 0, c: 0, d: 0, key: clientKeyFrom(0, 0, 0, 0) }

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
      readonly client: ClientKey
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
  return new ByteWriter(32)
    .u8(ENVELOPE.open)
    .raw(clientId)
    .varint(rule.sessionsMax)
    .varint(rule.idleMsMax)
    .finish()
}

/** @returns bytes that share their buffer with other envelopes: for sending, not for keeping */
export function encodeSession(
  clientId: Uint8Array,
  sequenceNumber: number,
  firstUnacknowledged: number,
  command: Uint8Array,
): Uint8Array {
  assertClientId(clientId)
  const most = SESSION_HEAD_BYTES_MAX + command.length
  if (slab.length + most > SLAB_BYTES) slab = new ByteWriter(Math.max(most, SLAB_BYTES))
  const start = slab.length
  slab.u8(ENVELOPE.session).raw(clientId).varint(sequenceNumber).varint(firstUnacknowledged).raw(command)
  return new Uint8Array(slab.view().buffer, start, slab.length - start)
}

/** A view on the command in a payload that {@link encodeSession} made. */
export function commandOf(payload: Uint8Array): Uint8Array {
  const envelope = decodeEnvelope(payload)
  assert(envelope.kind === 'session', 'the payload is a command in a session')
  return envelope.command
}

/** Where the command begins in an envelope at `start`, without looking at anything else; undefined when there is none. */
export function commandAt(bytes: Uint8Array, start = 0): number | undefined {
  if (bytes[start] === ENVELOPE.plain) return start + 1
  if (bytes[start] !== ENVELOPE.session) return undefined
  return afterVarint(bytes, afterVarint(bytes, start + 1 + CLIENT_ID_BYTES))
}

/**
 * The envelope in bytes [start, end).
 *
 * @returns views on `bytes`, no copies
 * @throws {ProtocolError} on bytes that no encoder above wrote
 */
export function decodeEnvelope(bytes: Uint8Array, start = 0, end: number = bytes.length): Envelope {
  const reader = new ByteReader(bytes, start, end)
  const kind = reader.u8()
  switch (kind) {
    case ENVELOPE.plain:
      return { kind: 'plain', command: reader.raw(reader.remaining) }
    case ENVELOPE.open: {
      const clientId = reader.raw(CLIENT_ID_BYTES)
      const rule = { sessionsMax: reader.varint(), idleMsMax: reader.varint() }
      reader.end()
      return { kind: 'open', clientId, rule }
    }
    case ENVELOPE.session: {
      const client = readClientKey(reader)
      const sequenceNumber = reader.varint()
      const firstUnacknowledged = reader.varint()
      return {
        kind: 'session',
        client,
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

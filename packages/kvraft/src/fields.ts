/** Keys and values in commands, queries, events and snapshots. */
import { ProtocolError, type ByteReader } from '@lab/rpc'
import { KEY_BYTES_MAX, TTL_MS_MAX, VALUE_BYTES_MAX } from './limits.ts'

/** A key with its length before it. @throws {ProtocolError} also when it breaks the limits */
export function readKey(reader: ByteReader): Uint8Array {
  return checkedKey(reader.bytes())
}

/** A value, up to the end. @throws {ProtocolError} when it is too large */
export function readValue(reader: ByteReader): Uint8Array {
  checkValueLength(reader.remaining)
  return reader.raw(reader.remaining)
}

/** A value with its length before it. @throws {ProtocolError} when it is too large */
export function readShortValue(reader: ByteReader): Uint8Array {
  const value = reader.bytes()
  checkValueLength(value.length)
  return value
}

/** @throws {ProtocolError} */
export function checkKeyLength(length: number): void {
  if (length === 0 || length > KEY_BYTES_MAX)
    throw new ProtocolError(`a key of ${String(length)} bytes; 1 to ${String(KEY_BYTES_MAX)} are accepted`)
}

/** @throws {ProtocolError} */
export function checkValueLength(length: number): void {
  if (length > VALUE_BYTES_MAX)
    throw new ProtocolError(`a value of ${String(length)} bytes; ${String(VALUE_BYTES_MAX)} are accepted`)
}

/** @throws {ProtocolError} */
export function checkTtl(ttl: number): void {
  if (ttl > TTL_MS_MAX)
    throw new ProtocolError(`a time to live of ${String(ttl)} ms; up to ${String(TTL_MS_MAX)} are accepted`)
}

function checkedKey(key: Uint8Array): Uint8Array {
  checkKeyLength(key.length)
  return key
}

/**
 * What changes the store, and its bytes in the log:
 *
 *     put     u8 1 · bytes key · value to the end
 *     append  u8 2 · bytes key · value to the end
 *     delete  u8 3 · bytes key
 *
 * The numbers are on disk: never reuse one.
 */
import { ByteReader, ByteWriter, ProtocolError, type Codec } from '@lab/rpc'
import { KEY_BYTES_MAX, VALUE_BYTES_MAX } from './limits.ts'

export type Command =
  /** Sets the value, whatever was there. */
  | { readonly op: 'put'; readonly key: Uint8Array; readonly value: Uint8Array }
  /** Adds to the end of the value; a missing key counts as an empty one. */
  | { readonly op: 'append'; readonly key: Uint8Array; readonly value: Uint8Array }
  | { readonly op: 'delete'; readonly key: Uint8Array }

const PUT = 1
const APPEND = 2
const DELETE = 3

/** Operation and the key's length. */
const HEAD_BYTES_MAX = 1 + 2

/** Decoded keys and values are views. `decode` throws {@link ProtocolError} on anything that `encode` would not write. */
export const commandCodec: Codec<Command> = {
  encode(command) {
    const writer = new ByteWriter(HEAD_BYTES_MAX + command.key.length)
    writeCommand(writer, command)
    return writer.view()
  },
  write: writeCommand,
  decode(bytes) {
    const reader = new ByteReader(bytes)
    const op = reader.u8()
    const key = readKey(reader)
    switch (op) {
      case PUT:
        return { op: 'put', key, value: readValue(reader) }
      case APPEND:
        return { op: 'append', key, value: readValue(reader) }
      case DELETE:
        reader.end()
        return { op: 'delete', key }
      default:
        throw new ProtocolError(`a command of unknown kind ${String(op)}`)
    }
  },
}

/** A key with its length before it. @throws {ProtocolError} also when it breaks the limits */
export function readKey(reader: ByteReader): Uint8Array {
  const key = reader.bytes()
  if (key.length === 0 || key.length > KEY_BYTES_MAX)
    throw new ProtocolError(
      `a key of ${String(key.length)} bytes; 1 to ${String(KEY_BYTES_MAX)} are accepted`,
    )
  return key
}

/** A value, up to the end. @throws {ProtocolError} when it is too large */
export function readValue(reader: ByteReader): Uint8Array {
  const { remaining } = reader
  if (remaining > VALUE_BYTES_MAX)
    throw new ProtocolError(`a value of ${String(remaining)} bytes; ${String(VALUE_BYTES_MAX)} are accepted`)
  return reader.raw(remaining)
}

function writeCommand(to: ByteWriter, command: Command): void {
  switch (command.op) {
    case 'put':
      to.u8(PUT).bytes(command.key).raw(command.value)
      return
    case 'append':
      to.u8(APPEND).bytes(command.key).raw(command.value)
      return
    case 'delete':
      to.u8(DELETE).bytes(command.key)
  }
}

/**
 * What changes the store, and its bytes in the log:
 *
 *     put       u8 1 · bytes key · value to the end
 *     append    u8 2 · bytes key · value to the end
 *     delete    u8 3 · bytes key
 *     cas       u8 4 · u8 by (1 version, 2 changed) · varint expected · varint ttl (0 for none) · bytes key · value to the end
 *     txn       u8 5 · see txn.ts
 *     expire    u8 6
 *     put, ttl  u8 7 · varint ttl · bytes key · value to the end
 *
 * The numbers are on disk: never reuse one. In all of them the value follows the key, as it does in the store's memory.
 */
import { ByteReader, ByteWriter, ProtocolError, type Codec } from '@lab/rpc'
import { checkTtl, readKey, readValue } from './fields.ts'
import { readTxn, writeTxn, type Txn } from './txn.ts'

export type Command =
  /** Sets the value, whatever was there. With a `ttl` (milliseconds, from 1) the key expires so long after, in log time. */
  | { readonly op: 'put'; readonly key: Uint8Array; readonly value: Uint8Array; readonly ttl?: number }
  /** Adds to the end of the value; a missing key counts as an empty one. */
  | { readonly op: 'append'; readonly key: Uint8Array; readonly value: Uint8Array }
  | { readonly op: 'delete'; readonly key: Uint8Array }
  | CompareAndSet
  | Txn
  /** Ends the keys whose time has come, some {@link EXPIRED_PER_COMMAND} of them. The leader's to propose. */
  | { readonly op: 'expire' }

/** Sets the value if the key is as expected. */
export interface CompareAndSet {
  readonly op: 'cas'
  /** `version`: the key's own, 0 for a missing one. `changed`: the store's revision at its last change, never seen twice. */
  readonly by: 'version' | 'changed'
  readonly expected: number
  readonly key: Uint8Array
  readonly value: Uint8Array
  readonly ttl?: number
}

export const CommandKind = { put: 1, append: 2, delete: 3, cas: 4, txn: 5, expire: 6, putWithTtl: 7 } as const

/** What a `cas` compares with. */
export const CasBy = { version: 1, changed: 2 } as const

/** Decoded keys and values are views. `decode` throws {@link ProtocolError} on anything that `encode` would not write. */
export const commandCodec: Codec<Command> = {
  encode(command) {
    const writer = new ByteWriter(64)
    writeCommand(writer, command)
    return writer.view()
  },
  write: writeCommand,
  decode(bytes) {
    const reader = new ByteReader(bytes)
    const command = readCommand(reader)
    reader.end()
    return command
  },
}

/** Hands every key that a command names to `visit`, as a view. @throws {ProtocolError} on bytes that are no command */
export function eachKey(command: Uint8Array, visit: (key: Uint8Array) => void): void {
  const reader = new ByteReader(command)
  const kind = reader.u8()
  switch (kind) {
    case CommandKind.cas:
      readBy(reader)
      reader.varint()
      reader.varint()
      break
    case CommandKind.putWithTtl:
      reader.varint()
      break
    case CommandKind.txn: {
      const { compare, then, otherwise } = readTxn(reader)
      for (const { key } of [...compare, ...then, ...otherwise]) visit(key)
      return
    }
    case CommandKind.expire:
      return
    default: // The key is the first thing in all others.
  }
  visit(readKey(reader))
}

function readCommand(reader: ByteReader): Command {
  const kind = reader.u8()
  switch (kind) {
    case CommandKind.put:
      return { op: 'put', key: readKey(reader), value: readValue(reader) }
    case CommandKind.append:
      return { op: 'append', key: readKey(reader), value: readValue(reader) }
    case CommandKind.delete:
      return { op: 'delete', key: readKey(reader) }
    case CommandKind.cas: {
      const by = readBy(reader)
      const expected = reader.varint()
      const ttl = reader.varint()
      checkTtl(ttl)
      const pair = { key: readKey(reader), value: readValue(reader) }
      return { op: 'cas', by, expected, ...pair, ...(ttl === 0 ? {} : { ttl }) }
    }
    case CommandKind.txn:
      return readTxn(reader)
    case CommandKind.expire:
      return { op: 'expire' }
    case CommandKind.putWithTtl: {
      const ttl = reader.varint()
      checkTtl(ttl)
      if (ttl === 0) throw new ProtocolError('a put that expires at once')
      return { op: 'put', key: readKey(reader), value: readValue(reader), ttl }
    }
    default:
      throw new ProtocolError(`a command of unknown kind ${String(kind)}`)
  }
}

function readBy(reader: ByteReader): CompareAndSet['by'] {
  const by = reader.u8()
  if (by !== CasBy.version && by !== CasBy.changed)
    throw new ProtocolError(`a comparison with an unknown thing ${String(by)}`)
  return by === CasBy.version ? 'version' : 'changed'
}

function writeCommand(to: ByteWriter, command: Command): void {
  switch (command.op) {
    case 'put':
      if (command.ttl === undefined) to.u8(CommandKind.put)
      else to.u8(CommandKind.putWithTtl).varint(command.ttl)
      to.bytes(command.key).raw(command.value)
      return
    case 'append':
      to.u8(CommandKind.append).bytes(command.key).raw(command.value)
      return
    case 'delete':
      to.u8(CommandKind.delete).bytes(command.key)
      return
    case 'cas': {
      const { by, expected, ttl = 0 } = command
      to.u8(CommandKind.cas).u8(CasBy[by]).varint(expected).varint(ttl)
      to.bytes(command.key).raw(command.value)
      return
    }
    case 'txn':
      writeTxn(to.u8(CommandKind.txn), command)
      return
    case 'expire':
      to.u8(CommandKind.expire)
  }
}

/**
 * What may be asked without changing anything, and the bytes of question and answer:
 *
 *     get     u8 1 · bytes key
 *     answer  varint revision · u8 0                                             there is no such key
 *             varint revision · u8 1 · varint version · varint changed · value to the end
 */
import { ByteReader, ByteWriter, ProtocolError, type Codec } from '@lab/rpc'
import { readKey, readValue } from './commands.ts'

export interface Query {
  readonly op: 'get'
  readonly key: Uint8Array
}

/** A key's value and where it comes from. */
export interface Entry {
  /** Never changed once handed out. */
  readonly value: Uint8Array
  /** Changes of this key since it came into being, from 1. */
  readonly version: number
  /** The store's revision at the last of them. */
  readonly changed: number
}

export interface Answer {
  /** The store's revision when it answered. */
  readonly revision: number
  /** Null when there is no such key. */
  readonly entry: Entry | null
}

const GET = 1

export const queryCodec: Codec<Query> = {
  encode: (query) => new ByteWriter(3 + query.key.length).u8(GET).bytes(query.key).view(),
  decode(bytes) {
    const reader = new ByteReader(bytes)
    const op = reader.u8()
    if (op !== GET) throw new ProtocolError(`a query of unknown kind ${String(op)}`)
    const key = readKey(reader)
    reader.end()
    return { op: 'get', key }
  },
}

/** The decoded value is a view. */
export const answerCodec: Codec<Answer> = {
  encode({ revision, entry }) {
    if (entry === null) return new ByteWriter(9).varint(revision).u8(0).view()
    const writer = new ByteWriter(25 + entry.value.length).varint(revision).u8(1)
    return writer.varint(entry.version).varint(entry.changed).raw(entry.value).view()
  },
  decode(bytes) {
    const reader = new ByteReader(bytes)
    const revision = reader.varint()
    const found = reader.u8()
    if (found > 1) throw new ProtocolError(`an answer that is neither found nor missing but ${String(found)}`)
    const entry = found === 0 ? null : readEntry(reader)
    reader.end()
    return { revision, entry }
  },
}

function readEntry(reader: ByteReader): Entry {
  const version = reader.varint()
  const changed = reader.varint()
  return { version, changed, value: readValue(reader) }
}

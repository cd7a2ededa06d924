/**
 * Compare, then or else, over any keys at once, and its bytes:
 *
 *     txn        count · comparisons · count · operations (then) · count · operations (else)        counts are varints
 *     compare    u8 of (1 version, 2 changed, 3 value) · u8 is (1 equal, 2 unequal, 3 less, 4 greater) · bytes key · operand
 *                operand: a varint, or of a value `bytes`
 *     operation  u8 1 get     · bytes key
 *                u8 2 put     · varint ttl (0 for none) · varint valueLength · bytes key · value
 *                u8 3 append  · varint valueLength · bytes key · value
 *                u8 4 delete  · bytes key
 *
 * The numbers are on disk: never reuse one.
 */
import { ProtocolError, type ByteReader, type ByteWriter } from '@lab/rpc'
import { hasTwice } from './compare-bytes.ts'
import { checkTtl, checkValueLength, readKey, readShortValue } from './fields.ts'
import { TXN_PARTS_MAX } from './limits.ts'

/** If all comparisons hold, `then` is done, else `otherwise`; nothing comes in between. At most {@link TXN_PARTS_MAX} of each. */
export interface Txn {
  readonly op: 'txn'
  readonly compare: readonly Comparison[]
  readonly then: readonly Operation[]
  readonly otherwise: readonly Operation[]
}

const RELATIONS = ['equal', 'unequal', 'less', 'greater'] as const
/** How what the key has stands to what is given. */
export type Relation = (typeof RELATIONS)[number]

/** A missing key has version 0 and changed 0; of its value only `unequal` holds. Values compare byte by byte. */
export type Comparison = { readonly key: Uint8Array; readonly is: Relation } & (
  | { readonly of: 'version' | 'changed'; readonly to: number }
  | { readonly of: 'value'; readonly to: Uint8Array }
)

/** They are done in order, and see what those before did. One branch changes each key at most once. */
export type Operation =
  | { readonly op: 'get' | 'delete'; readonly key: Uint8Array }
  | { readonly op: 'put'; readonly key: Uint8Array; readonly value: Uint8Array; readonly ttl?: number }
  | { readonly op: 'append'; readonly key: Uint8Array; readonly value: Uint8Array }

const COMPARED = { version: 1, changed: 2, value: 3 } as const
const GET = 1
const PUT = 2
const APPEND = 3
const DELETE = 4

export function writeTxn(writer: ByteWriter, { compare, then, otherwise }: Txn): ByteWriter {
  writer.varint(compare.length)
  for (const comparison of compare) {
    writer.u8(COMPARED[comparison.of]).u8(RELATIONS.indexOf(comparison.is) + 1)
    writer.bytes(comparison.key)
    if (comparison.of === 'value') writer.bytes(comparison.to)
    else writer.varint(comparison.to)
  }
  for (const branch of [then, otherwise]) {
    writer.varint(branch.length)
    for (const operation of branch) writeOperation(writer, operation)
  }
  return writer
}

/** Keys and values are views. @throws {ProtocolError} on anything that {@link writeTxn} would not write, and when a key is changed twice */
export function readTxn(reader: ByteReader): Txn {
  const compare = list(reader, readComparison)
  const then = list(reader, readOperation)
  const otherwise = list(reader, readOperation)
  checkChanges(then)
  checkChanges(otherwise)
  return { op: 'txn', compare, then, otherwise }
}

function list<T>(reader: ByteReader, read: (reader: ByteReader) => T): T[] {
  const count = reader.count(3)
  if (count > TXN_PARTS_MAX)
    throw new ProtocolError(`${String(count)} parts in a transaction; up to ${String(TXN_PARTS_MAX)}`)
  return Array.from({ length: count }, () => read(reader))
}

function readComparison(reader: ByteReader): Comparison {
  const of = reader.u8()
  const is = RELATIONS[reader.u8() - 1]
  if (is === undefined) throw new ProtocolError('a comparison of an unknown kind')
  const key = readKey(reader)
  switch (of) {
    case COMPARED.version:
      return { key, is, of: 'version', to: reader.varint() }
    case COMPARED.changed:
      return { key, is, of: 'changed', to: reader.varint() }
    case COMPARED.value:
      return { key, is, of: 'value', to: readShortValue(reader) }
    default:
      throw new ProtocolError(`a comparison of an unknown thing ${String(of)}`)
  }
}

function readOperation(reader: ByteReader): Operation {
  const op = reader.u8()
  switch (op) {
    case GET:
      return { op: 'get', key: readKey(reader) }
    case DELETE:
      return { op: 'delete', key: readKey(reader) }
    case PUT: {
      const ttl = reader.varint()
      checkTtl(ttl)
      return { op: 'put', ...readPair(reader), ...(ttl === 0 ? {} : { ttl }) }
    }
    case APPEND:
      return { op: 'append', ...readPair(reader) }
    default:
      throw new ProtocolError(`an operation of unknown kind ${String(op)}`)
  }
}

/** The value's length, then the key, and the value right behind it. */
function readPair(reader: ByteReader): { key: Uint8Array; value: Uint8Array } {
  const length = reader.varint()
  checkValueLength(length)
  return { key: readKey(reader), value: reader.raw(length) }
}

function writeOperation(writer: ByteWriter, operation: Operation): void {
  switch (operation.op) {
    case 'get':
      writer.u8(GET).bytes(operation.key)
      return
    case 'delete':
      writer.u8(DELETE).bytes(operation.key)
      return
    case 'put':
      writer.u8(PUT).varint(operation.ttl ?? 0)
      break
    case 'append':
      writer.u8(APPEND)
  }
  writer.varint(operation.value.length).bytes(operation.key).raw(operation.value)
}

/** One change a key keeps the rules simple: what fails can be told before anything is done. */
function checkChanges(operations: readonly Operation[]): void {
  const changed = operations.filter(({ op }) => op !== 'get').map(({ key }) => key)
  if (hasTwice(changed)) throw new ProtocolError('a transaction that changes a key twice')
}

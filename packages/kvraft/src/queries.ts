/**
 * What may be asked without changing anything, and the bytes of question and answer:
 *
 *     get      u8 1 · bytes key
 *     scan     u8 2 · u8 keysOnly · varint limit · bytes from · bytes to         (from and to: no byte for no bound)
 *
 *     missing  varint revision · u8 0
 *     found    varint revision · u8 1 · varint version · varint changed · value to the end
 *     page     varint revision · u8 2 · u8 more · entries to the end: varint version · varint changed · varint expires (0 for
 *              never) · bytes key · bytes value
 *     found    varint revision · u8 3 · varint version · varint changed · varint expires · value to the end
 */
import { ByteReader, ByteWriter, ProtocolError, type Codec } from '@lab/rpc'
import { readKey, readShortValue, readValue } from './fields.ts'
import { KEY_BYTES_MAX, SCAN_LIMIT_MAX } from './limits.ts'

export type Query = { readonly op: 'get'; readonly key: Uint8Array } | Scan

/** The keys of a range, in order, byte by byte. */
export interface Scan {
  readonly op: 'scan'
  /** The first key wanted, or no byte: from the beginning. */
  readonly from: Uint8Array
  /** The first key no longer wanted, or no byte: to the end. */
  readonly to: Uint8Array
  /** From 1 to {@link SCAN_LIMIT_MAX}. */
  readonly limit: number
  /** Values are left out. */
  readonly keysOnly: boolean
}

/** A key's value and where it comes from. */
export interface Entry {
  /** Never changed once handed out. */
  readonly value: Uint8Array
  /** Changes of this key since it came into being, from 1. */
  readonly version: number
  /** The store's revision at the last of them. */
  readonly changed: number
  /** When it is to expire, in log time: the leader's milliseconds since 1970. Not there when it is to stay. */
  readonly expires?: number
}

export interface KeyEntry extends Entry {
  readonly key: Uint8Array
}

/** What a `get` found. */
export interface Answer {
  /** The store's revision when it answered. */
  readonly revision: number
  /** Null when there is no such key. */
  readonly entry: Entry | null
}

/** What a `scan` found. */
export interface Page {
  readonly revision: number
  readonly entries: readonly KeyEntry[]
  /** There are more keys in the range: go on after the last one. */
  readonly more: boolean
}

export const QueryKind = { get: 1, scan: 2 } as const
export const AnswerKind = { missing: 0, found: 1, page: 2, foundExpiring: 3 } as const

export const queryCodec: Codec<Query> = {
  encode(query) {
    const writer = new ByteWriter(64)
    writeQuery(writer, query)
    return writer.view()
  },
  write: writeQuery,
  decode(bytes) {
    const reader = new ByteReader(bytes)
    const query = readQuery(reader)
    reader.end()
    return query
  },
}

/** Decoded values are views. */
export const answerCodec: Codec<Answer | Page> = {
  encode(answer) {
    if ('entries' in answer) return encodePage(answer)
    const { revision, entry } = answer
    if (entry === null) return new ByteWriter(9).varint(revision).u8(AnswerKind.missing).view()
    const { version, changed, expires, value } = entry
    const writer = new ByteWriter(34 + value.length).varint(revision)
    writer.u8(expires === undefined ? AnswerKind.found : AnswerKind.foundExpiring)
    writer.varint(version).varint(changed)
    if (expires !== undefined) writer.varint(expires)
    return writer.raw(value).view()
  },
  decode(bytes) {
    const reader = new ByteReader(bytes)
    const revision = reader.varint()
    const kind = reader.u8()
    const answer = readAnswer(reader, revision, kind)
    reader.end()
    return answer
  },
}

function writeQuery(to: ByteWriter, query: Query): void {
  if (query.op === 'get') {
    to.u8(QueryKind.get).bytes(query.key)
    return
  }
  to.u8(QueryKind.scan).u8(Number(query.keysOnly)).varint(query.limit).bytes(query.from).bytes(query.to)
}

function readQuery(reader: ByteReader): Query {
  const op = reader.u8()
  if (op === QueryKind.get) return { op: 'get', key: readKey(reader) }
  if (op !== QueryKind.scan) throw new ProtocolError(`a query of unknown kind ${String(op)}`)
  const keysOnly = readFlag(reader)
  const limit = reader.varint()
  if (limit === 0 || limit > SCAN_LIMIT_MAX)
    throw new ProtocolError(`a scan of ${String(limit)} keys; 1 to ${String(SCAN_LIMIT_MAX)} are accepted`)
  return { op: 'scan', from: readBound(reader), to: readBound(reader), limit, keysOnly }
}

/** A bound is a key, one byte longer at most (what comes right after a key), or nothing. */
function readBound(reader: ByteReader): Uint8Array {
  const bound = reader.bytes()
  if (bound.length > KEY_BYTES_MAX + 1)
    throw new ProtocolError(`a bound of ${String(bound.length)} bytes in a scan`)
  return bound
}

function readAnswer(reader: ByteReader, revision: number, kind: number): Answer | Page {
  switch (kind) {
    case AnswerKind.missing:
      return { revision, entry: null }
    case AnswerKind.found:
    case AnswerKind.foundExpiring: {
      const version = reader.varint()
      const changed = reader.varint()
      const expires = kind === AnswerKind.found ? undefined : reader.varint()
      const value = readValue(reader)
      return { revision, entry: { version, changed, value, ...(expires === undefined ? {} : { expires }) } }
    }
    case AnswerKind.page:
      return readPage(reader, revision)
    default:
      throw new ProtocolError(`an answer that is neither found nor missing but ${String(kind)}`)
  }
}

function encodePage({ revision, entries, more }: Page): Uint8Array {
  const writer = new ByteWriter(1024).varint(revision).u8(AnswerKind.page).u8(Number(more))
  for (const { key, value, version, changed, expires } of entries)
    writer
      .varint(version)
      .varint(changed)
      .varint(expires ?? 0)
      .bytes(key)
      .bytes(value)
  return writer.view()
}

function readPage(reader: ByteReader, revision: number): Page {
  const more = readFlag(reader)
  const entries: KeyEntry[] = []
  while (reader.remaining > 0) {
    const version = reader.varint()
    const changed = reader.varint()
    const expires = reader.varint()
    const key = readKey(reader)
    const value = readShortValue(reader)
    entries.push({ key, value, version, changed, ...(expires === 0 ? {} : { expires }) })
  }
  return { revision, entries, more }
}

function readFlag(reader: ByteReader): boolean {
  const flag = reader.u8()
  if (flag > 1) throw new ProtocolError(`a flag that is neither 0 nor 1 but ${String(flag)}`)
  return flag === 1
}

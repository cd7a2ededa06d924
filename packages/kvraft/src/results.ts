/**
 * What a command gave, and its bytes:
 *
 *     written    u8 1 · varint revision · varint version
 *     not-found  u8 2 · varint revision
 *     too-large  u8 3 · varint revision · varint bytes
 *     conflict   u8 4 · varint revision · varint version · varint changed
 *     txn        u8 5 · varint revision · u8 succeeded · varint count · the results of its operations
 *     expired    u8 6 · varint revision · varint count
 *
 * Of an operation within a transaction: `written` and `not-found` as above; what it got is
 *
 *     missing    u8 7
 *     found      u8 8 · varint version · varint changed · varint expires (0 for never) · bytes value
 *
 * The numbers are in snapshots (a session keeps its results): never reuse one.
 */
import { ByteReader, ByteWriter, ProtocolError, type Codec } from '@lab/rpc'
import { readShortValue } from './fields.ts'
import { TXN_PARTS_MAX } from './limits.ts'
import type { Entry } from './queries.ts'

/** `revision` is the store's: it counts every change of every key, from 1. A result that changed nothing tells the one before. */
export type Result =
  | Written
  | NotFound
  /** The append would have made a value of so many bytes, or the transaction would have read so many: refused, nothing changed. */
  | { readonly status: 'too-large'; readonly revision: number; readonly valueBytes: number }
  /** The key is not as expected, but so; 0 and 0 when it is missing. */
  | {
      readonly status: 'conflict'
      readonly revision: number
      readonly version: number
      readonly changed: number
    }
  /** `succeeded`: all comparisons held. One result for each operation of the branch that was done. */
  | {
      readonly status: 'txn'
      readonly revision: number
      readonly succeeded: boolean
      readonly results: readonly OperationResult[]
    }
  /** So many keys have expired. */
  | { readonly status: 'expired'; readonly revision: number; readonly count: number }

/** `version` counts the changes of this key since it came into being, from 1; 0 after a delete. */
export interface Written {
  readonly status: 'written'
  readonly revision: number
  readonly version: number
}

/** Nothing to delete. */
export interface NotFound {
  readonly status: 'not-found'
  readonly revision: number
}

/** What a `get` found is null when there is no such key. */
export type OperationResult = Written | NotFound | { readonly status: 'got'; readonly entry: Entry | null }

export const ResultKind = {
  written: 1,
  notFound: 2,
  tooLarge: 3,
  conflict: 4,
  txn: 5,
  expired: 6,
  missing: 7,
  found: 8,
} as const

/** `decode` gives views, and throws {@link ProtocolError} on anything that `encode` would not write. */
export const resultCodec: Codec<Result> = {
  encode(result) {
    const writer = new ByteWriter(64)
    writeResult(writer, result)
    return writer.view()
  },
  write: writeResult,
  decode(bytes) {
    const reader = new ByteReader(bytes)
    const result = readResult(reader)
    reader.end()
    return result
  },
}

function writeResult(to: ByteWriter, result: Result): void {
  switch (result.status) {
    case 'written':
    case 'not-found':
      writeOperationResult(to, result)
      return
    case 'too-large':
      to.u8(ResultKind.tooLarge).varint(result.revision).varint(result.valueBytes)
      return
    case 'conflict':
      to.u8(ResultKind.conflict).varint(result.revision).varint(result.version).varint(result.changed)
      return
    case 'txn':
      to.u8(ResultKind.txn).varint(result.revision).u8(Number(result.succeeded))
      to.varint(result.results.length)
      for (const each of result.results) writeOperationResult(to, each)
      return
    case 'expired':
      to.u8(ResultKind.expired).varint(result.revision).varint(result.count)
  }
}

function writeOperationResult(to: ByteWriter, result: OperationResult): void {
  switch (result.status) {
    case 'written':
      to.u8(ResultKind.written).varint(result.revision).varint(result.version)
      return
    case 'not-found':
      to.u8(ResultKind.notFound).varint(result.revision)
      return
    case 'got': {
      const { entry } = result
      if (entry === null) to.u8(ResultKind.missing)
      else {
        to.u8(ResultKind.found).varint(entry.version).varint(entry.changed)
        to.varint(entry.expires ?? 0).bytes(entry.value)
      }
    }
  }
}

function readResult(reader: ByteReader): Result {
  const kind = reader.u8()
  switch (kind) {
    case ResultKind.written:
      return { status: 'written', revision: reader.varint(), version: reader.varint() }
    case ResultKind.notFound:
      return { status: 'not-found', revision: reader.varint() }
    case ResultKind.tooLarge:
      return { status: 'too-large', revision: reader.varint(), valueBytes: reader.varint() }
    case ResultKind.conflict: {
      const revision = reader.varint()
      return { status: 'conflict', revision, version: reader.varint(), changed: reader.varint() }
    }
    case ResultKind.txn:
      return readTxnResult(reader)
    case ResultKind.expired:
      return { status: 'expired', revision: reader.varint(), count: reader.varint() }
    default:
      throw new ProtocolError(`a result of unknown kind ${String(kind)}`)
  }
}

function readTxnResult(reader: ByteReader): Result {
  const revision = reader.varint()
  const succeeded = reader.u8()
  if (succeeded > 1) throw new ProtocolError('a transaction that neither succeeded nor did not')
  const count = reader.count(1)
  if (count > TXN_PARTS_MAX) throw new ProtocolError(`${String(count)} results of a transaction`)
  const results = Array.from({ length: count }, () => readOperationResult(reader))
  return { status: 'txn', revision, succeeded: succeeded === 1, results }
}

function readOperationResult(reader: ByteReader): OperationResult {
  const kind = reader.u8()
  switch (kind) {
    case ResultKind.written:
      return { status: 'written', revision: reader.varint(), version: reader.varint() }
    case ResultKind.notFound:
      return { status: 'not-found', revision: reader.varint() }
    case ResultKind.missing:
      return { status: 'got', entry: null }
    case ResultKind.found: {
      const version = reader.varint()
      const changed = reader.varint()
      const expires = reader.varint()
      const value = readShortValue(reader)
      const entry = { version, changed, value, ...(expires === 0 ? {} : { expires }) }
      return { status: 'got', entry }
    }
    default:
      throw new ProtocolError(`a result of an operation of unknown kind ${String(kind)}`)
  }
}

/**
 * What a command gave, and its bytes:
 *
 *     written    u8 1 · varint revision · varint version
 *     not-found  u8 2 · varint revision
 *     too-large  u8 3 · varint revision · varint valueBytes
 *
 * The numbers are in snapshots (a session keeps its results): never reuse one.
 */
import { ByteReader, ByteWriter, ProtocolError, type Codec } from '@lab/rpc'

/** `revision` is the store's: it counts every change of every key, from 1. A result that changed nothing tells the one before. */
export type Result =
  /** `version` counts the changes of this key since it came into being, from 1; 0 after a delete. */
  | { readonly status: 'written'; readonly revision: number; readonly version: number }
  /** Nothing to delete. */
  | { readonly status: 'not-found'; readonly revision: number }
  /** The append would have made a value of `valueBytes`: refused, nothing changed. */
  | { readonly status: 'too-large'; readonly revision: number; readonly valueBytes: number }

const WRITTEN = 1
const NOT_FOUND = 2
const TOO_LARGE = 3

const RESULT_BYTES_MAX = 1 + 8 + 8

export const resultCodec: Codec<Result> = {
  encode(result) {
    const writer = new ByteWriter(RESULT_BYTES_MAX)
    writeResult(writer, result)
    return writer.finish()
  },
  write: writeResult,
  decode(bytes) {
    const reader = new ByteReader(bytes)
    const status = reader.u8()
    const revision = reader.varint()
    const result = readRest(status, revision, reader)
    reader.end()
    return result
  },
}

function writeResult(to: ByteWriter, result: Result): void {
  switch (result.status) {
    case 'written':
      to.u8(WRITTEN).varint(result.revision).varint(result.version)
      return
    case 'not-found':
      to.u8(NOT_FOUND).varint(result.revision)
      return
    case 'too-large':
      to.u8(TOO_LARGE).varint(result.revision).varint(result.valueBytes)
  }
}

function readRest(status: number, revision: number, reader: ByteReader): Result {
  switch (status) {
    case WRITTEN:
      return { status: 'written', revision, version: reader.varint() }
    case NOT_FOUND:
      return { status: 'not-found', revision }
    case TOO_LARGE:
      return { status: 'too-large', revision, valueBytes: reader.varint() }
    default:
      throw new ProtocolError(`a result of unknown status ${String(status)}`)
  }
}

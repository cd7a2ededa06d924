/**
 * What a command gave, and its bytes:
 *
 *     done     u8 1 · varint num
 *     refused  u8 2 · u8 code · text message
 *
 * The numbers are in snapshots (a session keeps its results): never reuse one.
 */
import { ByteReader, ByteWriter, ProtocolError, type Codec } from '@lab/rpc'
import type { ControllerErrorCode } from './errors.ts'

/** What a change may be refused with. */
export type Refusal = Exclude<ControllerErrorCode, 'COMPACTED'>

export type Result =
  /** `num` is that of the configuration that the command made, or of the one that was there, if it had nothing to change. */
  | { readonly status: 'done'; readonly num: number }
  | { readonly status: 'refused'; readonly code: Refusal; readonly message: string }

const ResultKind = { done: 1, refused: 2 } as const
const CODES: Readonly<Record<Refusal, number>> = {
  ...{ UNKNOWN_GID: 1, DUPLICATE_GID: 2, BAD_GID: 3, NO_SERVERS: 4 },
  ...{ BAD_SERVER: 5, BAD_SHARD: 6, BAD_WEIGHT: 7, NOT_CREATED: 8 },
}

export const resultCodec: Codec<Result> = {
  encode(result) {
    const writer = new ByteWriter(16)
    if (result.status === 'done') writer.u8(ResultKind.done).varint(result.num)
    else writer.u8(ResultKind.refused).u8(CODES[result.code]).text(result.message)
    return writer.finish()
  },
  decode(bytes) {
    const reader = new ByteReader(bytes)
    const result = readResult(reader)
    reader.end()
    return result
  },
}

function readResult(reader: ByteReader): Result {
  const kind = reader.u8()
  if (kind === ResultKind.done) return { status: 'done', num: reader.varint() }
  if (kind !== ResultKind.refused) throw new ProtocolError(`a result of unknown kind ${String(kind)}`)
  const number = reader.u8()
  const found = Object.entries(CODES).find(([, each]) => each === number)
  if (found === undefined) throw new ProtocolError(`a refusal of unknown code ${String(number)}`)
  return { status: 'refused', code: found[0] as Refusal, message: reader.text() }
}

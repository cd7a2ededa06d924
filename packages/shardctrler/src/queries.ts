/**
 * What is asked of the controller, and the answers:
 *
 *     config    u8 1 · varint num + 1, or 0 for the latest
 *     progress  u8 2
 *
 *     config       u8 1 · the configuration to the end, see config-codec.ts
 *     compacted    u8 2 · varint first num that is still known
 *     not-created  u8 3
 *     progress     u8 4 · varint first num · varint groups · per group: varint gid · varint num · varint gone · varint gid each
 */
import { ByteReader, ByteWriter, ProtocolError, type Codec } from '@lab/rpc'
import { configCodec, readConfig, readGid } from './config-codec.ts'
import type { Config, Gid } from './config.ts'

export type Query =
  /** The configuration of that number; the latest for −1 and for numbers that are not there yet. */
  { readonly op: 'config'; readonly num: number } | { readonly op: 'progress' }

/** How far the groups are with what the configurations ask of them. */
export interface Progress {
  /** The oldest configuration that is still known. */
  readonly firstNum: number
  /** Which configuration each group has finished: those of the latest one, and those that left and still have to hand over. */
  readonly finished: Readonly<Record<Gid, number>>
  /** Groups that left and have handed over all that they had, and have not joined again. */
  readonly gone: readonly Gid[]
}

export type Answer =
  | { readonly status: 'config'; readonly config: Config }
  | { readonly status: 'compacted'; readonly firstNum: number }
  | { readonly status: 'not-created' }
  | ({ readonly status: 'progress' } & Progress)

const QueryKind = { config: 1, progress: 2 } as const
const AnswerKind = { config: 1, compacted: 2, notCreated: 3, progress: 4 } as const

export const queryCodec: Codec<Query> = {
  encode(query) {
    const writer = new ByteWriter(10)
    if (query.op === 'progress') writer.u8(QueryKind.progress)
    else writer.u8(QueryKind.config).varint(query.num + 1)
    return writer.finish()
  },
  decode(bytes) {
    const reader = new ByteReader(bytes)
    const kind = reader.u8()
    if (kind !== QueryKind.config && kind !== QueryKind.progress)
      throw new ProtocolError(`a query of unknown kind ${String(kind)}`)
    const query: Query =
      kind === QueryKind.config ? { op: 'config', num: reader.varint() - 1 } : { op: 'progress' }
    reader.end()
    return query
  },
}

export const answerCodec: Codec<Answer> = {
  encode(answer) {
    const writer = new ByteWriter(256)
    writeAnswer(writer, answer)
    return writer.finish()
  },
  decode(bytes) {
    const reader = new ByteReader(bytes)
    const answer = readAnswer(reader)
    reader.end()
    return answer
  },
}

function writeAnswer(to: ByteWriter, answer: Answer): void {
  switch (answer.status) {
    case 'config':
      to.u8(AnswerKind.config).raw(configCodec.encode(answer.config))
      return
    case 'compacted':
      to.u8(AnswerKind.compacted).varint(answer.firstNum)
      return
    case 'not-created':
      to.u8(AnswerKind.notCreated)
      return
    case 'progress': {
      const finished = Object.entries(answer.finished)
      to.u8(AnswerKind.progress).varint(answer.firstNum).varint(finished.length)
      for (const [gid, num] of finished) to.varint(Number(gid)).varint(num)
      to.varint(answer.gone.length)
      for (const gid of answer.gone) to.varint(gid)
    }
  }
}

function readAnswer(reader: ByteReader): Answer {
  const kind = reader.u8()
  switch (kind) {
    case AnswerKind.config:
      return { status: 'config', config: readConfig(reader) }
    case AnswerKind.compacted:
      return { status: 'compacted', firstNum: reader.varint() }
    case AnswerKind.notCreated:
      return { status: 'not-created' }
    case AnswerKind.progress: {
      const firstNum = reader.varint()
      const finished = Array.from(
        { length: reader.count(2) },
        () => [readGid(reader), reader.varint()] as const,
      )
      const gone = Array.from({ length: reader.count(1) }, () => readGid(reader))
      return { status: 'progress', firstNum, finished: Object.fromEntries(finished), gone }
    }
    default:
      throw new ProtocolError(`an answer of unknown kind ${String(kind)}`)
  }
}

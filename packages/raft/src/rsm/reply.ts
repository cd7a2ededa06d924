/**
 * What applying a command gave, as bytes: kept in the session table and sent as it is, so that a retried request gets the
 * same answer.
 *
 *     varint index · varint term · u8 status · the rest by status
 */
import { ByteReader, ByteWriter, afterVarint, type Codec } from '@lab/rpc'
import { RaftError, type RaftErrorCode } from '../errors.ts'
import type { Index, Term } from '../types.ts'

/** The numbers are on disk (in snapshots) and on the wire: never reuse one. */
export const ReplyStatus = {
  /** Then the result, by the result codec. */
  value: 0,
  /** The machine returned undefined, which codecs need not know. */
  nothing: 1,
  /** The machine threw: text code ('' for none), text message. */
  threw: 2,
  /** The machine returned something that the result codec refuses: text message. The command did take effect. */
  unspeakable: 3,
  opened: 4,
  sessionExpired: 5,
  /** A late copy of a command whose answer the client has. */
  acknowledged: 6,
  outOfWindow: 7,
  noStateMachine: 8,
} as const
export type ReplyStatus = (typeof ReplyStatus)[keyof typeof ReplyStatus]

const STATUS_MAX = Math.max(...Object.values(ReplyStatus))

/** Where the command stands in the log. */
export interface Position {
  readonly index: Index
  readonly term: Term
}

export interface Reply extends Position {
  readonly status: ReplyStatus
  readonly payload: Uint8Array
}

const scratch = new ByteWriter(1024)

/** The result of a command that was applied. */
export function encodeResult(at: Position, result: unknown, codec: Codec<unknown>): Uint8Array {
  if (result === undefined) return encodeStatus(at, ReplyStatus.nothing)
  const writer = begin(at, ReplyStatus.value)
  try {
    if (codec.write === undefined) writer.raw(codec.encode(result))
    else codec.write(writer, result)
  } catch (thrown) {
    return begin(at, ReplyStatus.unspeakable).text(messageOf(thrown)).finish()
  }
  return writer.finish()
}

/** What the machine, or the codec of its commands, threw. */
export function encodeThrown(at: Position, thrown: unknown): Uint8Array {
  return begin(at, ReplyStatus.threw).text(codeOf(thrown)).text(messageOf(thrown)).finish()
}

/** An answer that is all in its status. */
export function encodeStatus(at: Position, status: ReplyStatus): Uint8Array {
  return begin(at, status).finish()
}

/** @returns a view on `bytes` @throws {ProtocolError} on bytes that no encoder above wrote */
export function decodeReply(bytes: Uint8Array): Reply {
  const reader = new ByteReader(bytes)
  const index = reader.varint()
  const term = reader.varint()
  const status = reader.u8()
  const payload = reader.raw(reader.remaining)
  // A status of a newer version says nothing to us; `unspeakable` at least claims nothing wrong.
  return {
    index,
    term,
    status: status <= STATUS_MAX ? (status as ReplyStatus) : ReplyStatus.unspeakable,
    payload,
  }
}

/** By status. */
const OUTCOMES: readonly ('ok' | RaftErrorCode)[] = [
  ...(['ok', 'ok', 'COMMAND_FAILED', 'COMMAND_FAILED', 'ok'] as const),
  ...(['SESSION_EXPIRED', 'CANCELLED', 'BUSY', 'BAD_REQUEST'] as const),
]

/** `ok`, or the code that {@link resultOf} throws: without reading more than the status. */
export function outcomeOf(reply: Uint8Array): string {
  const status = reply[afterVarint(reply, afterVarint(reply, 0))]
  return OUTCOMES[status ?? ReplyStatus.unspeakable] ?? 'COMMAND_FAILED'
}

/** The machine's own result. @throws {RaftError} for every other status */
export function resultOf(reply: Reply, codec: Codec<unknown>): unknown {
  switch (reply.status) {
    case ReplyStatus.value:
      return codec.decode(reply.payload)
    case ReplyStatus.nothing:
    case ReplyStatus.opened:
      return undefined
    default:
      throw errorOf(reply)
  }
}

function errorOf({ status, payload }: Reply): RaftError {
  const reader = new ByteReader(payload)
  switch (status) {
    case ReplyStatus.threw: {
      const remoteCode = reader.text()
      const message = `the state machine refused: ${reader.text()}`
      return new RaftError('COMMAND_FAILED', message, {
        outcome: 'not-applied',
        remoteCode: remoteCode || undefined,
      })
    }
    case ReplyStatus.sessionExpired:
      return new RaftError('SESSION_EXPIRED', 'the cluster has forgotten the session of this client', {
        outcome: 'not-applied',
      })
    case ReplyStatus.outOfWindow:
      return new RaftError('BUSY', 'too many commands of this client wait for an older one', {
        outcome: 'not-applied',
      })
    case ReplyStatus.noStateMachine:
      return new RaftError('BAD_REQUEST', 'the cluster has no state machine', { outcome: 'not-applied' })
    case ReplyStatus.acknowledged:
      return new RaftError('CANCELLED', 'this command was given up before it was applied', {
        outcome: 'unknown',
      })
    default: {
      const why = payload.length === 0 ? 'unknown status' : reader.text()
      return new RaftError(
        'COMMAND_FAILED',
        `the command was applied, but its result cannot be told: ${why}`,
        {
          outcome: 'unknown',
        },
      )
    }
  }
}

function begin({ index, term }: Position, status: ReplyStatus): ByteWriter {
  scratch.reset()
  return scratch.varint(index).varint(term).u8(status)
}

function messageOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown)
}

function codeOf(thrown: unknown): string {
  const code = thrown instanceof Error && 'code' in thrown ? thrown.code : ''
  return typeof code === 'string' ? code : ''
}

/** Commands and queries as bytes; what a codec throws is told as the caller's mistake: nothing was sent. */
import { ByteWriter, type Codec } from '@lab/rpc'
import { badRequest } from '../errors.ts'

/** A larger buffer is not kept for the next command. */
const KEPT_BYTES_MAX = 64 * 1024
let scratch = new ByteWriter(1024)

/**
 * @returns bytes that hold until the next command or query is encoded
 * @throws {RaftError} `BAD_REQUEST` when the codec refuses the command
 */
export function encodeCommand<C>(codec: Codec<C>, command: C): Uint8Array {
  try {
    return written(codec, command)?.view() ?? codec.encode(command)
  } catch (thrown) {
    throw refused('command', thrown)
  }
}

/** @returns a copy: it waits for its turn, and for answers @throws {RaftError} `BAD_REQUEST` when the codec refuses the query */
export function encodeQuery<Q>(codec: Codec<Q>, query: Q): Uint8Array {
  try {
    return written(codec, query)?.finish() ?? codec.encode(query).slice()
  } catch (thrown) {
    throw refused('query', thrown)
  }
}

/** @returns null when the codec writes into no buffer but its own */
function written<T>(codec: Codec<T>, value: T): ByteWriter | null {
  if (codec.write === undefined) return null
  if (scratch.length > KEPT_BYTES_MAX) scratch = new ByteWriter(1024)
  scratch.reset()
  codec.write(scratch, value)
  return scratch
}

function refused(what: string, cause: unknown): Error {
  const message = cause instanceof Error ? cause.message : String(cause)
  return badRequest(`the ${what} cannot be encoded: ${message}`, { cause, outcome: 'not-applied' })
}

/**
 * An answer to `propose` or `read` that is a refusal, as bytes. A reply (rsm/reply.ts) begins with an index, which is never 0; a
 * refusal begins with 0:
 *
 *     u8 0 · text code · text remoteCode · text message · u8 outcome (0 not-applied, 1 unknown, 2 none) · u8 hint? · text id · varint count · text address…
 */
import { ByteReader, ByteWriter, RpcError, toError } from '@lab/rpc'
import { RaftError, type LeaderHint, type Outcome, type RaftErrorCode } from '../errors.ts'
import type { Attempt } from './route.ts'

const OUTCOMES: readonly (Outcome | undefined)[] = ['not-applied', 'unknown', undefined]

export function encodeRefusal(error: RaftError): Uint8Array {
  const { code, remoteCode = '', message, outcome, leaderHint } = error
  const writer = new ByteWriter(256)
    .u8(0)
    .text(code)
    .text(remoteCode)
    .text(message)
    .u8(OUTCOMES.indexOf(outcome))
  if (leaderHint === undefined) return writer.u8(0).finish()
  writer.u8(1).text(leaderHint.id).varint(leaderHint.addresses.length)
  for (const address of leaderHint.addresses) writer.text(address)
  return writer.finish()
}

/** @throws {ProtocolError} on a refusal that `encodeRefusal` did not write */
export function decodeAttempt(answer: Uint8Array): Attempt {
  if (answer[0] !== 0) return { ok: true, reply: answer }
  return { ok: false, error: decodeRefusal(answer) }
}

function decodeRefusal(answer: Uint8Array): RaftError {
  const reader = new ByteReader(answer, 1)
  const code = reader.text() as RaftErrorCode
  const remoteCode = reader.text() || undefined
  const message = reader.text()
  const outcome = OUTCOMES[reader.u8()]
  const leaderHint = reader.u8() === 0 ? undefined : decodeHint(reader)
  reader.end()
  // Another server that closes is, from here, one that cannot be had: others may be.
  return new RaftError(code === 'CLOSED' ? 'UNAVAILABLE' : code, message, { outcome, leaderHint, remoteCode })
}

function decodeHint(reader: ByteReader): LeaderHint {
  const id = reader.text()
  const addresses: string[] = []
  for (let left = reader.count(1); left > 0; left--) addresses.push(reader.text())
  return { id, addresses }
}

const CODES: Partial<Record<RpcError['code'], RaftErrorCode>> = {
  TIMEOUT: 'TIMEOUT',
  CANCELLED: 'CANCELLED',
  BUSY: 'BUSY',
  TOO_LARGE: 'TOO_LARGE',
  UNAUTHORISED: 'UNAUTHORISED',
  BAD_REQUEST: 'BAD_REQUEST',
  BAD_ADDRESS: 'BAD_REQUEST',
  NO_SUCH_METHOD: 'BAD_REQUEST',
}

/** A call to another server that failed on the way. */
export function fromRpcError(thrown: unknown): RaftError {
  if (thrown instanceof RaftError) return thrown
  if (!(thrown instanceof RpcError))
    return new RaftError('UNAVAILABLE', toError(thrown).message, { outcome: 'unknown', cause: thrown })
  const outcome: Outcome = thrown.executed === 'no' ? 'not-applied' : 'unknown'
  return new RaftError(codeOf(thrown), thrown.message, { outcome, cause: thrown })
}

function codeOf({ code, remoteCode }: RpcError): RaftErrorCode {
  if (code === 'REFUSED' && (remoteCode === 'WRONG_CLUSTER' || remoteCode === 'WIPED')) return remoteCode
  return CODES[code] ?? 'UNAVAILABLE'
}

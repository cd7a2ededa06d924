import { decodeEnvelope } from '@lab/raft/rsm'
import { ProtocolError } from '@lab/rpc'

/** The store's command in what a client sent, as a view. @throws {ProtocolError} */
export function commandIn(envelope: Uint8Array): Uint8Array {
  const opened = decodeEnvelope(envelope)
  if (opened.kind === 'open') throw new ProtocolError('a session is opened by a command of its own')
  return opened.command
}

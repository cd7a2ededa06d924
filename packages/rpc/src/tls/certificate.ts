import type { PeerCertificate, TLSSocket } from 'node:tls'
import { RpcError } from '../errors.ts'
import type { Address, Certificate } from '../transport.ts'
import type { TlsKeys } from './options.ts'

/** What the other end of an open TLS connection has proven; undefined when it was not asked. */
export function certificateOf(
  socket: TLSSocket,
  asked: TlsKeys['clientCertificates'],
): Certificate | undefined {
  if (asked === 'none') return undefined
  const shown = socket.getPeerCertificate()
  if (Object.keys(shown).length === 0) return { names: [], problem: 'it shows none' }
  if (socket.authorized) return { names: namesOf(shown), problem: undefined }
  // Node's types say an Error; it is the code of one.
  return { names: [], problem: String(socket.authorizationError) }
}

/** Its DNS names and its common name. */
function namesOf({ subject, subjectaltname = '' }: PeerCertificate): string[] {
  const dns = [...subjectaltname.matchAll(/(?:^|, )DNS:([^,"]+)/g)].map(([, name = '']) => name)
  const common = [subject.CN].flat().filter((name) => name !== undefined)
  return [...new Set([...dns, ...common])]
}

const VERIFICATION =
  /^(?:CERT_|ERR_TLS_CERT|UNABLE_TO_|SELF_SIGNED|DEPTH_ZERO|INVALID_(?:CA|PURPOSE)|HOSTNAME_MISMATCH)/
const OURS_REFUSED = /ALERT_(?:\w*CERTIFICATE|UNKNOWN_CA|ACCESS_DENIED)/

/** Why certificates kept two ends apart; undefined when it was something else. */
export function certificateError(error: Error, address: Address): RpcError | undefined {
  const code = 'code' in error ? String(error.code) : ''
  if (VERIFICATION.test(code))
    return new RpcError(
      'UNAUTHORISED',
      `the certificate at ${address} is not trusted: ${error.message} (${code})`,
      {
        cause: error,
      },
    )
  if (OURS_REFUSED.test(code))
    return new RpcError('UNAUTHORISED', `${address} does not take our certificate (${code})`, {
      cause: error,
    })
  return undefined
}

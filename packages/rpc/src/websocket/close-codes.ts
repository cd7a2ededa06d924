/** Close codes of RFC 6455 §7.4 and what they say about how a channel ended. */
import { RpcError } from '../errors.ts'

export const CLOSE = {
  normal: 1000,
  goingAway: 1001,
  /** Never on the wire: the other end closed without naming a code. */
  noCode: 1005,
  protocolError: 1002,
  unsupportedData: 1003,
  internalError: 1011,
} as const

const ORDERLY: ReadonlySet<number> = new Set([CLOSE.normal, CLOSE.goingAway, CLOSE.noCode])
/** Never on the wire: the connection ended without a closing handshake. */
const NO_CLOSING_HANDSHAKE = 1006
/** A close frame takes 125 bytes, two of them for the code. */
const REASON_BYTES_MAX = 123

/** How a channel ended whose socket closed with `code`: undefined after an orderly close. */
export function closeError(remoteAddress: string, code: number, reason: string): RpcError | undefined {
  if (ORDERLY.has(code)) return undefined
  const how =
    code === NO_CLOSING_HANDSHAKE
      ? `the connection to ${remoteAddress} broke`
      : `${remoteAddress} closed the connection: ${reason === '' ? 'no reason given' : reason} (code ${String(code)})`
  return new RpcError('CLOSED', how)
}

/** As much of `reason` as a close frame takes. */
export function closeReason(reason: string): string {
  const bytes = new TextEncoder().encode(reason)
  if (bytes.length <= REASON_BYTES_MAX) return reason
  // A cut within a character leaves replacement characters at the end.
  return new TextDecoder().decode(bytes.subarray(0, REASON_BYTES_MAX - 3)).replace(/\uFFFD+$/, '')
}

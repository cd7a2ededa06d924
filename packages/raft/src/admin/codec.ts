/** Bodies of the admin service: JSON, behind a byte where a refusal (calls/refusal.ts) may stand instead. */
import { ProtocolError, toError } from '@lab/rpc'

/** A refusal begins with 0. */
export const ANSWERED = 1

export function encodeJson(prefix: number | null, value: unknown): Uint8Array {
  const text = new TextEncoder().encode(JSON.stringify(value))
  if (prefix === null) return text
  const bytes = new Uint8Array(1 + text.length)
  bytes[0] = prefix
  bytes.set(text, 1)
  return bytes
}

/** @throws {ProtocolError} on bytes that are no JSON */
export function decodeJson<T>(bytes: Uint8Array): T {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes)) as T
  } catch (thrown) {
    throw new ProtocolError(`a request of the admin service: ${toError(thrown).message}`)
  }
}

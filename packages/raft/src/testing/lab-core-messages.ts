/** Our core's messages as the labs' network carries and traces them. */
import type { Message } from '../core/messages.ts'
import { describeMessage } from '../describe-message.ts'
import { decodeMessage, encodeMessage } from '../wire.ts'
import type { NodeId } from '../types.ts'
import type { LabDescribe } from './lab-interface.ts'
import { nameOf } from './lab-safety.ts'

/** What our messages say, for the trace; the labs' network names them by the method called. */
export const describeLabCore: LabDescribe = (_method, value) =>
  value instanceof Uint8Array ? describeMessage(unpack(value).message) : {}

/** The sender's number, then the message: the labs' network does not say who calls. */
export function pack(me: number, message: Message): Uint8Array {
  const body = encodeMessage(message)
  const bytes = new Uint8Array(1 + body.length)
  bytes[0] = me
  bytes.set(body, 1)
  return bytes
}

export function unpack(bytes: Uint8Array): { readonly from: NodeId; readonly message: Message } {
  return { from: nameOf(bytes[0] ?? 0), message: decodeMessage(bytes.subarray(1)) }
}

/** Is it the answer to a request? */
export function isReply(message: Message): boolean {
  return message.type.endsWith('Reply')
}

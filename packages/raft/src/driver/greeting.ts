/**
 * How servers greet: one call to a peer, for all groups that both may be members of. See greeter.ts and acquaintances.ts.
 *
 *     varint count, then for each: varint group · varint index · varint count · text address…
 *     the answer, for each in the same order: text why its messages do not count, '' when they do; ABSENT when the group does not run there
 */
import { ByteReader, ByteWriter, type Address } from '@lab/rpc'
import type { Index } from '../types.ts'

/** What a server says of itself to a peer that it has connected to, for one group. */
export interface Greeting {
  /** Where its newest configuration stands; 0 for the bootstrap, or none. */
  readonly index: Index
  /** Where it is reached. */
  readonly addresses: readonly Address[]
}

/** What is answered to a greeting: its messages count, or why not; or there is nobody yet to judge. */
export type Verdict =
  { readonly type: 'welcome' | 'absent' } | { readonly type: 'refused'; readonly why: string }

export const WELCOME: Verdict = { type: 'welcome' }
export const ABSENT: Verdict = { type: 'absent' }
const ABSENT_TEXT = '-'

export function encodeGreetings(greetings: ReadonlyMap<number, Greeting>): Uint8Array {
  const writer = new ByteWriter().varint(greetings.size)
  for (const [group, { index, addresses }] of greetings) {
    writer.varint(group).varint(index).varint(addresses.length)
    for (const address of addresses) writer.text(address)
  }
  return writer.finish()
}

/** @throws {ProtocolError} */
export function decodeGreetings(bytes: Uint8Array): Map<number, Greeting> {
  const reader = new ByteReader(bytes)
  const greetings = new Map<number, Greeting>()
  for (let left = reader.count(3); left > 0; left--) {
    const group = reader.varint()
    const index = reader.varint()
    greetings.set(group, { index, addresses: Array.from({ length: reader.count(1) }, () => reader.text()) })
  }
  reader.end()
  return greetings
}

export function encodeVerdicts(verdicts: readonly Verdict[]): Uint8Array {
  const writer = new ByteWriter()
  for (const verdict of verdicts)
    writer.text(verdict.type === 'refused' ? verdict.why : verdict.type === 'absent' ? ABSENT_TEXT : '')
  return writer.finish()
}

/** @param count how many groups were greeted @throws {ProtocolError} */
export function decodeVerdicts(bytes: Uint8Array, count: number): Verdict[] {
  const reader = new ByteReader(bytes)
  const verdicts = Array.from({ length: count }, (): Verdict => {
    const why = reader.text()
    if (why === '') return WELCOME
    return why === ABSENT_TEXT ? ABSENT : { type: 'refused', why }
  })
  reader.end()
  return verdicts
}

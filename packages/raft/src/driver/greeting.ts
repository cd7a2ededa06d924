/**
 * How servers greet: one call to a peer, for all groups that both may be members of. See greeter.ts and acquaintances.ts.
 *
 *     varint count, then for each: varint group · varint index · varint count · text address… · u8 0, or u8 1 · varint term · varint index
 *     the answer, for each in the same order: text why its messages do not count, '' when they do; ABSENT when the group does not run there
 */
import { ByteReader, ByteWriter, ProtocolError, type Address } from '@lab/rpc'
import type { Index } from '../types.ts'
import type { Place } from './precedence.ts'

/** What a server says of itself to a peer that it has connected to, for one group. */
export interface Greeting {
  /** Where its newest configuration stands; 0 for the bootstrap, or none. */
  readonly index: Index
  /** Where it is reached. */
  readonly addresses: readonly Address[]
  /** Where its log ended, while it is at work on its start: see precedence.ts. */
  readonly starts: Place | null
}

/** What is answered to a greeting: its messages count, or why not; or there is nobody yet to judge. */
export type Verdict =
  { readonly type: 'welcome' | 'absent' } | { readonly type: 'refused'; readonly why: string }

export const WELCOME: Verdict = { type: 'welcome' }
export const ABSENT: Verdict = { type: 'absent' }
const ABSENT_TEXT = '-'

export function encodeGreetings(greetings: ReadonlyMap<number, Greeting>): Uint8Array {
  const writer = new ByteWriter().varint(greetings.size)
  for (const [group, { index, addresses, starts }] of greetings) {
    writer.varint(group).varint(index).varint(addresses.length)
    for (const address of addresses) writer.text(address)
    writer.u8(starts === null ? 0 : 1)
    if (starts !== null) writer.varint(starts.term).varint(starts.index)
  }
  return writer.finish()
}

/** @throws {ProtocolError} */
export function decodeGreetings(bytes: Uint8Array): Map<number, Greeting> {
  const reader = new ByteReader(bytes)
  const greetings = new Map<number, Greeting>()
  for (let left = reader.count(4); left > 0; left--) {
    const group = reader.varint()
    const index = reader.varint()
    const addresses = Array.from({ length: reader.count(1) }, () => reader.text())
    greetings.set(group, { index, addresses, starts: readPlace(reader) })
  }
  reader.end()
  return greetings
}

function readPlace(reader: ByteReader): Place | null {
  const given = reader.u8()
  if (given > 1) throw new ProtocolError(`a greeting that says ${given} of a start`)
  return given === 0 ? null : { term: reader.varint(), index: reader.varint() }
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

/** How servers greet: varint index · varint count · text address…; the answer: text why not, or ''. See acquaintances.ts. */
import { ByteReader, ByteWriter, type Address } from '@lab/rpc'
import type { Index } from '../types.ts'

/** What a server says of itself to a peer that it has connected to, for one group. */
export interface Greeting {
  /** Where its newest configuration stands; 0 for the bootstrap, or none. */
  readonly index: Index
  /** Where it is reached. */
  readonly addresses: readonly Address[]
}

export function encodeGreeting({ index, addresses }: Greeting): Uint8Array {
  const writer = new ByteWriter().varint(index).varint(addresses.length)
  for (const address of addresses) writer.text(address)
  return writer.finish()
}

/** @throws {ProtocolError} */
export function decodeGreeting(bytes: Uint8Array): Greeting {
  const reader = new ByteReader(bytes)
  const index = reader.varint()
  const addresses = Array.from({ length: reader.count(1) }, () => reader.text())
  reader.end()
  return { index, addresses }
}

export function encodeVerdict(why: string | null): Uint8Array {
  return new ByteWriter().text(why ?? '').finish()
}

/** @returns null, or why messages of this server do not count there @throws {ProtocolError} */
export function decodeVerdict(bytes: Uint8Array): string | null {
  const reader = new ByteReader(bytes)
  const why = reader.text()
  reader.end()
  return why === '' ? null : why
}

/** A read through a group: `varint shard · query of kvraft's`. The answer is as that of a command, see commands.ts. */
import { ByteReader, ByteWriter } from '@lab/rpc'

export function encodeQuery(shard: number, query: Uint8Array): Uint8Array {
  return new ByteWriter(8 + query.length).varint(shard).raw(query).finish()
}

/** @throws {ProtocolError} */
export function decodeQuery(bytes: Uint8Array): { readonly shard: number; readonly query: Uint8Array } {
  const reader = new ByteReader(bytes)
  return { shard: reader.varint(), query: reader.raw(reader.remaining) }
}

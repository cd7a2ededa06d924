/**
 * Watches on the wire: a stream beside Raft's own services, on any server of the cluster.
 *
 *     request  u8 1 · varint after · u8 begins now · bytes from · bytes to           (from and to: no byte for no bound)
 *     item     varint through · events to the end, see events.ts
 *
 * `through`: every change up to that revision that is in the range has been told, with this item or before. The first item comes
 * at once; one without events says how far the silence reaches.
 */
import { ByteReader, ByteWriter, ProtocolError, bytesCodec, service, stream, type Codec } from '@lab/rpc'
import { decodeEvents, type WatchEvent } from './events.ts'
import { KEY_BYTES_MAX } from './limits.ts'

export interface WatchRequest {
  /** The first key wanted, or no byte: from the beginning. */
  readonly from: Uint8Array
  /** The first key no longer wanted, or no byte: to the end. */
  readonly to: Uint8Array
  /** Changes after this revision are told; null: after the newest one at the time of the call. */
  readonly after: number | null
}

export interface WatchItem {
  readonly through: number
  readonly events: readonly WatchEvent[]
}

const VERSION = 1

export const watchRequestCodec: Codec<WatchRequest> = {
  encode({ from, to, after }) {
    const writer = new ByteWriter(20 + from.length + to.length).u8(VERSION)
    return writer
      .varint(after ?? 0)
      .u8(Number(after === null))
      .bytes(from)
      .bytes(to)
      .view()
  },
  decode(bytes) {
    const reader = new ByteReader(bytes)
    const version = reader.u8()
    if (version !== VERSION) throw new ProtocolError(`a watch of version ${String(version)}`)
    const after = reader.varint()
    const beginsNow = reader.u8()
    if (beginsNow > 1 || (beginsNow === 1 && after > 0)) throw new ProtocolError('a watch that begins twice')
    const from = readBound(reader)
    const to = readBound(reader)
    reader.end()
    return { from, to, after: beginsNow === 1 ? null : after }
  },
}

/** Keys and values are views. @throws {ProtocolError} */
export function decodeWatchItem(bytes: Uint8Array): WatchItem {
  const reader = new ByteReader(bytes)
  const through = reader.varint()
  return { through, events: decodeEvents(reader) }
}

/** Items are bytes here: the server copies events as they stand in its history. */
export const WatchService = service('kv', {
  watch: stream<WatchRequest, Uint8Array>({ request: watchRequestCodec, item: bytesCodec }),
})

function readBound(reader: ByteReader): Uint8Array {
  const bound = reader.bytes()
  if (bound.length > KEY_BYTES_MAX + 1)
    throw new ProtocolError(`a bound of ${String(bound.length)} bytes in a watch`)
  return bound
}

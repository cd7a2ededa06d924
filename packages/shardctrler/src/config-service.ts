/** Configurations as they come: a stream beside Raft's own services, on any server of the controller. */
import { bytesCodec, service, stream, type Codec } from '@lab/rpc'
import { ByteReader, ByteWriter } from '@lab/rpc'

/** A configuration's number: those after it are told. */
const afterCodec: Codec<number> = {
  encode: (after) => new ByteWriter(8).varint(after).finish(),
  decode(bytes) {
    const reader = new ByteReader(bytes)
    const after = reader.varint()
    reader.end()
    return after
  },
}

/**
 * Items are configurations, see config-codec.ts: `after + 1`, and so on, none left out. Fails with `COMPACTED` when one that it
 * should tell is forgotten. A server that lags, or is cut off, tells late; what it tells is committed.
 */
export const ConfigService = service('shardctrler', {
  watch: stream<number, Uint8Array>({ request: afterCodec, item: bytesCodec }),
})

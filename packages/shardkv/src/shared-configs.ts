import { compareBytes } from '@lab/kvraft/parts'
import type { Codec } from '@lab/rpc'
import { configCodec, type Config } from '@lab/shardctrler'

/**
 * The codec of configurations for all groups of a process. Each of a thousand groups logs the same configuration and keeps the
 * newest: it is decoded, encoded and there once.
 */
export function sharedConfigs(): Codec<Config> {
  let read: { readonly bytes: Uint8Array; readonly config: Config } | null = null
  let written: { readonly bytes: Uint8Array; readonly config: Config } | null = null
  return {
    encode(config) {
      if (written?.config !== config) written = { config, bytes: configCodec.encode(config) }
      return written.bytes
    },
    decode(bytes) {
      if (read === null || compareBytes(read.bytes, bytes) !== 0)
        read = { bytes: bytes.slice(), config: configCodec.decode(bytes) }
      return read.config
    },
  }
}

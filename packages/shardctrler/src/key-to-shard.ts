/** From a key to its shard: pure, the same in every process, and named in the configuration. */
import type { Config } from './config.ts'

const OPEN = 0x7b // {
const CLOSE = 0x7d // }

/** The shard that holds `key`, by the function that the configuration names. */
export function shardOf(
  { keyToShard, shards }: Pick<Config, 'keyToShard' | 'shards'>,
  key: Uint8Array,
): number {
  const number = keyToShard === 'crc16' ? crc16(tagOf(key)) : (key[0] ?? 0)
  return number % shards.length
}

/**
 * What is hashed of a key: what stands between its first `{` and the next `}`, when anything does, else all of it. So `{ada}/name`
 * and `{ada}/age` are in one shard. The rule of Redis Cluster.
 */
export function tagOf(key: Uint8Array): Uint8Array {
  const open = key.indexOf(OPEN)
  if (open === -1) return key
  const close = key.indexOf(CLOSE, open + 1)
  return close <= open + 1 ? key : key.subarray(open + 1, close)
}

/** CRC16 as of XMODEM, Redis Cluster's: polynomial 0x1021, from 0, nothing reflected. `123456789` gives 0x31c3. */
export function crc16(bytes: Uint8Array): number {
  let crc = 0
  for (const byte of bytes) crc = ((crc << 8) ^ (TABLE[((crc >>> 8) ^ byte) & 0xff] as number)) & 0xffff
  return crc
}

const TABLE = Uint16Array.from({ length: 256 }, (_, byte) => {
  let crc = byte << 8
  for (let bit = 0; bit < 8; bit++) crc = (crc & 0x8000) === 0 ? crc << 1 : (crc << 1) ^ 0x1021
  return crc & 0xffff
})

import type { Random } from '@lab/rpc'

/** A fresh incarnation: sixteen hexadecimal digits. */
export function incarnationFrom(random: Random): string {
  return Array.from(random.bytes(8), (byte) => byte.toString(16).padStart(2, '0')).join('')
}

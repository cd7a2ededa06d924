import { compareBytes } from './compare-bytes.ts'

/** The key of an event whose bytes, without their length, begin at `at`: a view. */
export function keyOfEvent(bytes: Uint8Array, at: number): Uint8Array {
  at++ // its kind
  for (let varints = 2; varints > 0; at++) if ((bytes[at] as number) < 0x80) varints--
  // A key has up to 4096 bytes: its length is one byte or two.
  let length = bytes[at++] as number
  if (length >= 0x80) length = (length & 0x7f) | ((bytes[at++] as number) << 7)
  return bytes.subarray(at, at + length)
}

/** A range of keys; no byte for no bound. */
export function isInRange(
  key: Uint8Array,
  { from, to }: { readonly from: Uint8Array; readonly to: Uint8Array },
): boolean {
  return compareBytes(key, from) >= 0 && (to.length === 0 || compareBytes(key, to) < 0)
}
